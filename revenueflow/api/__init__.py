"""HTTP only: what is asked, who asks, and how it is answered. Decisions are made below."""
