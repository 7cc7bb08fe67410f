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
    ///
    /// @param name of the file, for messages
    record KeyFile(String name, byte[] secret) implements Credential {
        /// One that comes from no file.
        public KeyFile(byte[] secret) {
            this("", secret);
        }

        @Override
        public String toString() {
            return name.isEmpty() ? "key" : "key file " + name;
        }
    }
}
