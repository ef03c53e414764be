"""Runs Lambda functions on the laptop. moto keeps them."""
