"""Begin a distribution of plugins: files that install and pass the contract tests as they are."""
