package dev.mainstay.engine;

import dev.mainstay.engine.config.KeySource;
import dev.mainstay.repository.crypto.CloudKey;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.crypto.KeyFiles;
import dev.mainstay.repository.crypto.RecoveryText;
import dev.mainstay.repository.crypto.TokenKey;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.random.RandomGenerator;

/// From where a key is to what opens a repository.
public final class Credentials {
    private Credentials() {}

    /// @throws dev.mainstay.base.MainstayException KEY_MISSING, KEY_FILE_INVALID, KEY_SERVICE
    public static Credential of(KeySource source) {
        return switch (source) {
            case KeySource.KeyFile(Path path) -> KeyFiles.read(path);
            case KeySource.RecoveryFile(Path path) ->
                    RecoveryText.parse(path.toString(), KeyFiles.text(path));
            case KeySource.Token token ->
                    new Credential.Service(
                            TokenKey.open(
                                    token.library(),
                                    token.slot(),
                                    token.pin().reveal().toCharArray(),
                                    token.key()));
            case KeySource.Remote(var key) -> new Credential.Service(new CloudKey(key));
            case KeySource.Passphrase(var secret) ->
                    new Credential.Passphrase(secret.reveal().getBytes(StandardCharsets.UTF_8));
        };
    }

    /// Writes the key file that is named, if it does not exist yet.
    ///
    /// @return whether it was written
    public static boolean make(KeySource source, RandomGenerator random) {
        if (source instanceof KeySource.KeyFile(Path path) && !Files.exists(path)) {
            byte[] secret = new byte[32];
            random.nextBytes(secret);
            KeyFiles.create(path, secret);
            return true;
        }
        return false;
    }
}
