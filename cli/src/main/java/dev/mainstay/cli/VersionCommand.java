package dev.mainstay.cli;

import picocli.CommandLine.Command;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/// `mainstay version`
@Command(name = "version")
final class VersionCommand implements Verb {
    private static final int FORMAT_VERSION = 1;

    @Override
    public Document run(Session session) {
        return document();
    }

    static Document document() {
        return Document.of("Mainstay " + version())
                .add("version", version())
                .add("formatVersion", FORMAT_VERSION)
                .add("jdk", Runtime.version().toString());
    }

    /// As the build wrote it into the jar.
    static String version() {
        try (InputStream text = VersionCommand.class.getResourceAsStream("version.txt")) {
            return text == null
                    ? "unknown"
                    : new String(text.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException wrong) {
            throw new UncheckedIOException(wrong);
        }
    }
}
