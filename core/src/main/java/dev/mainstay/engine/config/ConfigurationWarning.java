package dev.mainstay.engine.config;

/// Something in a configuration file that is allowed but should be changed.
///
/// @param path of the key (`repository.key.passphrase`)
public record ConfigurationWarning(String path, String message, String hint) {}
