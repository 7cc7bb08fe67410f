package dev.mainstay.repository.crypto;

/// What a person or a host holds to open a repository. Never printed.
public sealed interface Credential {
    /// Stretched by Argon2id (RFC 9106).
    ///
    /// @param utf8 the passphrase's bytes
    record Passphrase(byte[] utf8) implements Credential {
        @Override
        public String toString() {
            return "passphrase";
        }
    }

    /// The 32 random bytes of a key file.
    record KeyFile(byte[] secret) implements Credential {
        @Override
        public String toString() {
            return "key file";
        }
    }
}
