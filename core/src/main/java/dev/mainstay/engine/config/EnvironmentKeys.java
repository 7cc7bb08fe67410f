package dev.mainstay.engine.config;

import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.Tag;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Keys that the environment gives, each in its place among those of the file and in the stead of
/// what stands there: `MAINSTAY__SOURCES__ORDERS__POSTGRES__PROCESS_MAX` is
/// `sources.orders.postgres.process-max`.
final class EnvironmentKeys {
    private static final String PREFIX = "MAINSTAY__";

    /// @param variable that gives it, for messages
    /// @param path of the key, from the top
    /// @param value as it could stand in the file, with expressions
    record Key(String variable, List<String> path, String value) {
        static Key of(String variable, String path, String value) {
            return new Key(variable, List.of(path.split("\\.", -1)), value);
        }
    }

    private EnvironmentKeys() {}

    /// Those that are named after their keys, in the order of their names.
    static List<Key> named(Map<String, String> environment) {
        return environment.keySet().stream()
                .filter(name -> name.startsWith(PREFIX))
                .sorted()
                .map(name -> new Key(name, path(name), "${" + name + "}"))
                .toList();
    }

    private static List<String> path(String variable) {
        return List.of(variable.substring(PREFIX.length()).split("__", -1)).stream()
                .map(EnvironmentKeys::normal)
                .toList();
    }

    private static String normal(String name) {
        return name.toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// @param root of the file, which is changed; without one they make it
    static Optional<Node> onto(Optional<Node> root, List<Key> keys) {
        if (keys.isEmpty() || (root.isPresent() && !(root.get() instanceof MappingNode))) {
            return root;
        }
        MappingNode top =
                root.map(MappingNode.class::cast).orElseGet(() -> mapping(keys.getFirst()));
        keys.forEach(key -> put(top, key, 0));
        return Optional.of(top);
    }

    private static void put(MappingNode into, Key key, int depth) {
        String name = key.path.get(depth);
        boolean last = depth == key.path.size() - 1;
        List<NodeTuple> tuples = new ArrayList<>(into.getValue());
        int at = indexOf(tuples, name);
        Node there = at < 0 ? null : tuples.get(at).getValueNode();
        Node value = last ? scalar(key, Expansion.protect(key.value)) : below(there, key);
        Node keyNode =
                at < 0 || last
                        ? scalar(key, at < 0 ? name : text(tuples.get(at)))
                        : tuples.get(at).getKeyNode();
        NodeTuple tuple = new NodeTuple(keyNode, value);
        if (at < 0) {
            tuples.add(tuple);
        } else {
            tuples.set(at, tuple);
        }
        into.setValue(tuples);
        if (!last && value instanceof MappingNode deeper) {
            put(deeper, key, depth + 1);
        }
    }

    private static MappingNode below(@Nullable Node there, Key key) {
        return there instanceof MappingNode mapping ? mapping : mapping(key);
    }

    private static int indexOf(List<NodeTuple> tuples, String name) {
        for (int i = 0; i < tuples.size(); i++) {
            if (normal(text(tuples.get(i))).equals(normal(name))) {
                return i;
            }
        }
        return -1;
    }

    private static String text(NodeTuple tuple) {
        return tuple.getKeyNode() instanceof ScalarNode key ? key.getValue() : "";
    }

    private static MappingNode mapping(Key key) {
        return new MappingNode(
                Tag.MAP, true, new ArrayList<>(), FlowStyle.BLOCK, mark(key), Optional.empty());
    }

    private static ScalarNode scalar(Key key, String text) {
        return new ScalarNode(
                Tag.STR, true, text, ScalarStyle.DOUBLE_QUOTED, mark(key), Optional.empty());
    }

    private static Optional<Mark> mark(Key key) {
        return Optional.of(
                new Mark("environment variable " + key.variable, 0, 0, 0, new int[0], 0));
    }
}
