package dev.mainstay.server.metrics;

import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ReceiverSettings;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.engine.config.SourceSettings;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongFunction;

/// Looks at the file systems of this host that protection depends on.
final class SpaceLook {
    private final Configuration configuration;

    SpaceLook(Configuration configuration) {
        this.configuration = configuration;
    }

    /// @param used bytes of the repository, if they were counted
    /// @param untilFull how long the repository's file system lasts with so many bytes free
    List<SpaceFacts> look(
            Optional<Long> used, LongFunction<Optional<Duration>> untilFull) {
        List<SpaceFacts> spaces = new ArrayList<>();
        String url = configuration.repository().url();
        if (url.startsWith("file:")) {
            look("repository", Path.of(URI.create(url).getPath()), used.orElse(0L))
                    .map(
                            seen ->
                                    new SpaceFacts(
                                            seen.what(),
                                            seen.path(),
                                            seen.used(),
                                            seen.free(),
                                            seen.total(),
                                            untilFull.apply(seen.free())))
                    .ifPresent(spaces::add);
        }
        if (configuration.server().state() instanceof ServerState.Directory(Path path)) {
            look("state", path, bytes(path)).ifPresent(spaces::add);
        }
        for (SourceSettings source : configuration.sources().values()) {
            spool(source).ifPresent(spaces::add);
        }
        return spaces;
    }

    private static Optional<SpaceFacts> look(String what, Path path, long used) {
        try {
            FileStore store = Files.getFileStore(path);
            return Optional.of(
                    new SpaceFacts(
                            what,
                            path.toString(),
                            used,
                            store.getUsableSpace(),
                            store.getTotalSpace(),
                            Optional.empty()));
        } catch (IOException notHere) {
            return Optional.empty();
        }
    }

    /// A spool is full at its limit, or when its file system is.
    private static Optional<SpaceFacts> spool(SourceSettings source) {
        ReceiverSettings receiver = source.postgres().receiver();
        if (!Files.isDirectory(receiver.spool())) {
            return Optional.empty();
        }
        long used = bytes(receiver.spool());
        long limit = receiver.spoolLimit().bytes();
        return look("spool " + source.name(), receiver.spool(), used)
                .map(
                        seen ->
                                new SpaceFacts(
                                        seen.what(),
                                        seen.path(),
                                        used,
                                        Math.min(seen.free(), Math.max(0, limit - used)),
                                        Math.min(seen.total(), limit),
                                        Optional.empty()));
    }

    /// Files vanish while this looks.
    private static long bytes(Path folder) {
        File[] files = folder.toFile().listFiles();
        long bytes = 0;
        for (File file : files == null ? new File[0] : files) {
            bytes += file.isDirectory() ? bytes(file.toPath()) : file.length();
        }
        return bytes;
    }
}
