"""What the records come to, in the forms other people's tools read: Prometheus text and OTLP."""
