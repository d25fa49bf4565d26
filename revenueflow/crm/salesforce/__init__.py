"""Salesforce, by its REST API."""
