"""Compares packages with records of vulnerabilities and malware (OSV, VEX)."""
