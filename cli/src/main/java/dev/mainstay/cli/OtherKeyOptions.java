package dev.mainstay.cli;

import dev.mainstay.engine.Credentials;
import dev.mainstay.engine.config.KeySource;
import dev.mainstay.repository.crypto.Credential;

import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Further keys of the repository, beside the configuration's.
final class OtherKeyOptions {
    @Option(
            names = "--with-key-file",
            paramLabel = "FILE",
            description = "another key of the repository: this key file")
    private List<Path> keyFiles = List.of();

    @Option(
            names = "--with-passphrase-env",
            paramLabel = "NAME",
            description = "another key: the passphrase in this environment variable")
    private List<String> variables = List.of();

    @Option(
            names = "--with-passphrase-file",
            paramLabel = "FILE",
            description = "another key: the passphrase in the first line of this file")
    private List<Path> passphraseFiles = List.of();

    @Option(
            names = "--with-recovery-file",
            paramLabel = "FILE",
            description = "another key: the recovery key in this file")
    private List<Path> recoveryFiles = List.of();

    @Option(
            names = "--with-key-of",
            paramLabel = "CONFIG",
            description = "another key: the one that repository.key of this configuration names")
    private List<Path> configurations = List.of();

    List<Credential> read(Session session) {
        List<Credential> keys = new ArrayList<>();
        for (Path file : keyFiles) {
            keys.add(Credentials.of(new KeySource.KeyFile(Keys.path(session, file))));
        }
        for (String name : variables) {
            keys.add(Credentials.of(new KeySource.Passphrase(Keys.variable(session, name))));
        }
        for (Path file : passphraseFiles) {
            keys.add(Credentials.of(new KeySource.Passphrase(Keys.firstLine(session, file))));
        }
        for (Path file : recoveryFiles) {
            keys.add(Credentials.of(new KeySource.RecoveryFile(Keys.path(session, file))));
        }
        for (Path file : configurations) {
            keys.add(Credentials.of(Keys.keyOf(session, file)));
        }
        return keys;
    }
}
