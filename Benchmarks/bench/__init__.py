"""Ratios of Sallyport against nginx and HAProxy, doing the same work in the same run."""
