"""Readers of pasted input: curl commands, PowerShell commands and HAR files."""
