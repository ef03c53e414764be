"""What `keyfront explain` reads (pasted commands, HAR files, answers) and how it shows a report."""
