"""The words of the business as plain types: no I/O, no settings, nothing imported from the layers above."""
