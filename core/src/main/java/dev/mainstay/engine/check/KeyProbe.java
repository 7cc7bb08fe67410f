package dev.mainstay.engine.check;

import dev.mainstay.engine.config.KeySource;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.postgres.cluster.Finding;
import dev.mainstay.repository.crypto.KeyFiles;
import dev.mainstay.storage.remote.RemoteKey;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Whether the secret that opens the repository is there, whole, and kept from others. Whether it
/// is the right one shows when the repository is opened.
final class KeyProbe {
    private static final String ID = "key";

    private KeyProbe() {}

    static List<Finding> look(RepositorySettings settings, Optional<Path> folder)
            throws IOException {
        if (!settings.encrypted()) {
            return List.of(
                    Finding.warning(
                            ID,
                            "the repository is configured without encryption: whoever reads it"
                                    + " reads the data",
                            "remove 'encryption: none', name a key and run 'mainstay init' on a new"
                                    + " url"));
        }
        return switch (settings.requireKey()) {
            case KeySource.Passphrase _ ->
                    List.of(Finding.ok(ID, "a passphrase is configured for the repository"));
            case KeySource.KeyFile(Path path) -> file(path, folder);
            case KeySource.Token token ->
                    List.of(
                            Finding.ok(
                                    ID,
                                    "key '"
                                            + token.key()
                                            + "' of a PKCS#11 token is configured for the"
                                            + " repository"));
            case KeySource.Remote(RemoteKey key) ->
                    List.of(
                            Finding.ok(
                                    ID,
                                    "key "
                                            + key.key()
                                            + " of "
                                            + key.kind()
                                            + " is configured for the repository"));
            case KeySource.RecoveryFile(Path path) ->
                    List.of(
                            Finding.warning(
                                    ID,
                                    "the recovery key of "
                                            + path
                                            + " is in daily use, so it is not offline",
                                    "run 'mainstay keys add --key-file FILE', name that file in"
                                            + " repository.key, and delete this one"));
        };
    }

    private static List<Finding> file(Path path, Optional<Path> folder) throws IOException {
        KeyFiles.read(path);
        List<Finding> findings = new ArrayList<>();
        if (!KeyFiles.isPrivate(path)) {
            findings.add(
                    Finding.warning(
                            ID,
                            "others than its owner may read or change key file " + path,
                            "run: chmod 600 " + path));
        }
        Path real = path.toRealPath();
        if (folder.filter(Files::isDirectory).isPresent()
                && real.startsWith(folder.get().toRealPath())) {
            findings.add(
                    Finding.warning(
                            ID,
                            "key file "
                                    + path
                                    + " lies inside the repository: who takes one has both, and"
                                    + " losing one loses both",
                            "move it to another place and correct repository.key"));
        }
        if (findings.isEmpty()) {
            findings.add(
                    Finding.ok(
                            ID,
                            "key file "
                                    + path
                                    + " is whole and kept from others; keep a copy of it far from"
                                    + " the repository"));
        }
        return findings;
    }
}
