package dev.mainstay.engine.config;

import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/// Reads one file until all that is wrong with it is known: whatever is found to be wrong is left
/// out, and the rest is read again.
///
/// What contradicts or lacks another value is told only where nothing was left out beside it, since
/// it might be right without that. So every error that is told is one.
final class Reading {
    /// More help nobody.
    private static final int MOST = 50;

    private final String file;
    private final Expansion expansion;
    private final Set<Node> left = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<String> leftPaths = new ArrayList<>();
    private final List<Fault> faults = new ArrayList<>();
    private @Nullable Fault last;

    /// @param alone whether the value is wrong whatever else the file holds
    private record Fault(Node node, String path, boolean alone, MainstayException error) {
        int line() {
            return node.getStartMark().map(Mark::getLine).orElse(0);
        }

        /// The keys that it may be about.
        String around() {
            int dot = path.lastIndexOf('.');
            return node instanceof MappingNode ? path : dot < 0 ? "" : path.substring(0, dot);
        }
    }

    Reading(String file, Expansion expansion) {
        this.file = file;
        this.expansion = expansion;
    }

    String file() {
        return file;
    }

    Expansion expansion() {
        return expansion;
    }

    boolean isLeft(Node node) {
        return left.contains(node);
    }

    /// Remembers what is about to be thrown.
    MainstayException fault(Node node, String path, boolean alone, MainstayException error) {
        last = new Fault(node, path, alone, error);
        return error;
    }

    /// @param once reads the file, which throws at the first error
    /// @throws MainstayException CONFIG_INVALID, CONFIG_KEY_UNKNOWN, CONFIG_VARIABLE_UNSET: the one
    ///   error, or all of them
    <T> T all(Supplier<T> once) {
        while (true) {
            last = null;
            try {
                T read = once.get();
                if (faults.isEmpty()) {
                    return read;
                }
                throw together();
            } catch (MainstayException wrong) {
                Fault fault = last;
                if (fault == null || !fault.error.equals(wrong)) {
                    throw wrong;
                }
                if (fault.alone || isOwn(fault)) {
                    faults.add(fault);
                }
                if (fault.path.isEmpty() || faults.size() == MOST) {
                    throw together();
                }
                left.add(fault.node);
                leftPaths.add(fault.path);
            }
        }
    }

    private boolean isOwn(Fault fault) {
        String around = fault.around().isEmpty() ? "" : fault.around() + ".";
        return leftPaths.stream().noneMatch(path -> path.startsWith(around));
    }

    private MainstayException together() {
        faults.sort(Comparator.comparingInt(Fault::line));
        return ConfigurationErrors.together(file, faults.stream().map(Fault::error).toList());
    }
}
