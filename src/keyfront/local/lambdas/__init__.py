"""Runs Lambda functions on the laptop. moto stores them."""
