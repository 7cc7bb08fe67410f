package dev.mainstay.engine.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;

/// A value that may not stand in the file itself: `${NAME}`, or `{ file: PATH }` with one line.
final class SecretValue {
    private SecretValue() {}

    /// @param path reads a path
    static Secret read(ConfigNode node, Function<ConfigNode, Path> path) {
        if (node.isMapping()) {
            ConfigNode file = Sections.required(node, node.entries("file"), "file");
            try {
                String line = Files.readString(path.apply(file)).strip();
                if (!line.isEmpty()) {
                    return Secret.of(line);
                }
            } catch (IOException wrong) {
                throw file.invalid("cannot be read: " + wrong);
            }
            throw file.invalid("is empty");
        }
        if (node.isLiteral()) {
            throw node.invalid("is a secret: write ${NAME} or { file: PATH }");
        }
        return node.secret();
    }
}
