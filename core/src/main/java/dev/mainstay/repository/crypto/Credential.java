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

    /// The 32 random bytes of a key that was printed and is kept offline ([RecoveryText]).
    ///
    /// @param name of the file it was typed into, for messages
    record RecoveryKey(String name, byte[] secret) implements Credential {
        @Override
        public String toString() {
            return name.isEmpty() ? "recovery key" : "recovery key of " + name;
        }
    }

    /// A key that stays where it is: in a key service or a token.
    record Service(KeyService service) implements Credential {
        @Override
        public String toString() {
            return service.toString();
        }
    }
}
