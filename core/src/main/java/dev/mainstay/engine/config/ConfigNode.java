package dev.mainstay.engine.config;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// A value of the file together with where it stands, so that whatever is wrong with it can be told
/// with file, line, column and path. No message holds the value of a secret.
final class ConfigNode {
    private final Reading reading;
    private final String path;
    private final Node node;

    ConfigNode(Reading reading, String path, Node node) {
        this.reading = reading;
        this.path = path;
        this.node = node;
    }

    String path() {
        return path;
    }

    /// For messages of those who find out later that something is wrong: file, line, column, path.
    String where() {
        return place(node) + ": " + path;
    }

    boolean isMapping() {
        return node instanceof MappingNode;
    }

    /// The entries of a mapping whose keys people choose.
    Map<String, ConfigNode> entries() {
        return read(null);
    }

    /// One entry of a mapping, before all of them are read.
    @Nullable ConfigNode entry(String name) {
        return entries().get(name);
    }

    /// The entries of a mapping with a closed list of keys.
    ///
    /// @throws MainstayException `CONFIG_KEY_UNKNOWN`
    Map<String, ConfigNode> entries(String... known) {
        return read(new LinkedHashSet<>(List.of(known)));
    }

    private Map<String, ConfigNode> read(@Nullable Set<String> known) {
        if (!(node instanceof MappingNode mapping)) {
            throw wrong("must hold keys, not " + kind());
        }
        Map<String, ConfigNode> entries = new LinkedHashMap<>();
        for (NodeTuple tuple : mapping.getValue()) {
            if (reading.isLeft(tuple.getKeyNode()) || reading.isLeft(tuple.getValueNode())) {
                continue;
            }
            if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
                throw at(tuple.getKeyNode(), ErrorCode.CONFIG_INVALID, path, "a key is no text");
            }
            String name = key.getValue();
            String keyPath = path.isEmpty() ? name : path + "." + name;
            if (known != null && !known.contains(name)) {
                throw unknownKey(key, keyPath, known);
            }
            ConfigNode value = new ConfigNode(reading, keyPath, tuple.getValueNode());
            if (entries.put(name, value) != null) {
                throw at(key, ErrorCode.CONFIG_INVALID, keyPath, "is given twice");
            }
        }
        return entries;
    }

    private MainstayException unknownKey(ScalarNode key, String keyPath, Set<String> known) {
        return reading.fault(
                key,
                keyPath,
                true,
                new MainstayException(
                        ErrorCode.CONFIG_KEY_UNKNOWN,
                        place(key)
                                + ": unknown key '"
                                + keyPath
                                + "'"
                                + NearestName.of(key.getValue(), known)
                                        .map(near -> "; did you mean '" + near + "'?")
                                        .orElse(""),
                        "known here: " + String.join(", ", known),
                        null));
    }

    /// The text of a scalar, expanded, never empty.
    String text() {
        if (!(node instanceof ScalarNode scalar)) {
            throw wrong("must be a single value, not " + kind());
        }
        try {
            String text = reading.expansion().expand(scalar.getValue());
            if (text.isEmpty() || (Tag.NULL.equals(scalar.getTag()) && scalar.isPlain())) {
                throw wrong("has no value");
            }
            return text;
        } catch (Expansion.Unset unset) {
            throw at(
                    node,
                    ErrorCode.CONFIG_VARIABLE_UNSET,
                    path,
                    String.valueOf(unset.getMessage()));
        } catch (Expansion.Malformed malformed) {
            throw wrong(String.valueOf(malformed.getMessage()));
        }
    }

    /// A single value or a list of them.
    List<String> texts() {
        if (!(node instanceof SequenceNode sequence)) {
            return List.of(text());
        }
        List<String> texts = new ArrayList<>();
        for (Node each : sequence.getValue()) {
            if (!reading.isLeft(each)) {
                texts.add(new ConfigNode(reading, path, each).text());
            }
        }
        return texts;
    }

    Secret secret() {
        return Secret.of(text());
    }

    /// Whether the file itself holds the value, without any expression.
    boolean isLiteral() {
        return node instanceof ScalarNode scalar && !Expansion.isIn(scalar.getValue());
    }

    int integer(int least, int most) {
        String text = text();
        try {
            int value = Integer.parseInt(text);
            if (value >= least && value <= most) {
                return value;
            }
        } catch (NumberFormatException notANumber) {
            throw outside(text, least, most, notANumber);
        }
        throw outside(text, least, most, null);
    }

    private MainstayException outside(String text, int least, int most, @Nullable Throwable cause) {
        return reading.fault(
                node,
                path,
                true,
                new MainstayException(
                        ErrorCode.CONFIG_INVALID,
                        message(
                                node,
                                path,
                                "'" + text + "' is no number from " + least + " to " + most),
                        cause));
    }

    /// Anything that is parsed from text by a function that throws on rubbish.
    <T> T parsed(Function<String, T> parser) {
        String text = text();
        try {
            return parser.apply(text);
        } catch (IllegalArgumentException wrong) {
            throw reading.fault(
                    node,
                    path,
                    true,
                    new MainstayException(
                            ErrorCode.CONFIG_INVALID,
                            message(node, path, String.valueOf(wrong.getMessage())),
                            wrong));
        }
    }

    /// What does not go together with other values, or lacks one.
    MainstayException invalid(String problem) {
        return reading.fault(
                node,
                path,
                false,
                new MainstayException(ErrorCode.CONFIG_INVALID, message(node, path, problem)));
    }

    /// What is wrong by itself.
    private MainstayException wrong(String problem) {
        return at(node, ErrorCode.CONFIG_INVALID, path, problem);
    }

    private MainstayException at(Node where, ErrorCode code, String wherePath, String problem) {
        return reading.fault(
                where,
                wherePath,
                true,
                new MainstayException(code, message(where, wherePath, problem)));
    }

    private String message(Node where, String wherePath, String problem) {
        return place(where)
                + ": "
                + (wherePath.isEmpty() ? "the file" : wherePath)
                + ": "
                + problem;
    }

    private String place(Node where) {
        return place(reading.file(), where.getStartMark());
    }

    /// `FILE:LINE:COLUMN`, both counted from one; of what is not in the file its own name.
    static String place(String file, Optional<Mark> mark) {
        return mark.map(
                        m ->
                                m.getName().equals(file)
                                        ? file + ":" + (m.getLine() + 1) + ":" + (m.getColumn() + 1)
                                        : m.getName())
                .orElse(file);
    }

    private String kind() {
        return switch (node.getNodeType()) {
            case MAPPING -> "keys";
            case SEQUENCE -> "a list";
            case SCALAR -> Tag.NULL.equals(node.getTag()) ? "nothing" : "a single value";
            case ANCHOR -> "an anchor";
        };
    }
}
