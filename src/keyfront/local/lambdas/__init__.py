"""Lambda functions on the laptop: moto keeps them, and here they run."""
