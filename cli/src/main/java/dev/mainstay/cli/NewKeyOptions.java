package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.KeySource;
import dev.mainstay.engine.config.Secret;

import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Which key is the new one. Never the secret itself: arguments are seen by everybody on the host.
final class NewKeyOptions {
    @Option(
            names = "--key-file",
            paramLabel = "FILE",
            description = "the new key: this key file, which is made if it does not exist")
    private Optional<Path> keyFile = Optional.empty();

    @Option(
            names = "--passphrase-env",
            paramLabel = "NAME",
            description = "the new key: the passphrase in this environment variable")
    private Optional<String> passphraseVariable = Optional.empty();

    @Option(
            names = "--passphrase-file",
            paramLabel = "FILE",
            description = "the new key: the passphrase in the first line of this file")
    private Optional<Path> passphraseFile = Optional.empty();

    @Option(
            names = "--key-of",
            paramLabel = "CONFIG",
            description = "the new key: the one that repository.key of this configuration names")
    private Optional<Path> configuration = Optional.empty();

    /// @throws MainstayException USAGE_INVALID unless exactly one is given
    KeySource source(Session session) {
        List<KeySource> given = new ArrayList<>();
        keyFile.ifPresent(file -> given.add(new KeySource.KeyFile(Keys.path(session, file))));
        passphraseVariable.ifPresent(
                name -> given.add(new KeySource.Passphrase(Keys.variable(session, name))));
        passphraseFile.ifPresent(
                file -> given.add(new KeySource.Passphrase(Keys.firstLine(session, file))));
        configuration.ifPresent(file -> given.add(Keys.keyOf(session, file)));
        if (given.size() != 1) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    given.isEmpty() ? "say which key is the new one" : "give one new key at a time",
                    "--key-file, --passphrase-env, --passphrase-file or --key-of",
                    null);
        }
        return given.getFirst();
    }

    /// How it stands in the configuration.
    String configured(Session session) {
        return keyFile.map(file -> "key: { file: " + Keys.path(session, file) + " }")
                .or(() -> configuration.map(file -> "key: as in " + Keys.path(session, file)))
                .or(() -> passphraseVariable.map(name -> "key: { passphrase: ${" + name + "} }"))
                .orElse("key: { passphrase: ${NAME} }, with the passphrase in that variable");
    }

    /// Not printed by anybody.
    static Secret secret(String text, String where) {
        if (text.isBlank()) {
            throw new MainstayException(ErrorCode.USAGE_INVALID, where + " holds no passphrase");
        }
        return Secret.of(text);
    }
}
