package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.archive.WalAhead;
import dev.mainstay.engine.archive.WalGet;
import dev.mainstay.engine.archive.WalPush;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.WalArchive;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Function;

/// What an agent keeps between requests: the repositories it opened, and their sources with their
/// keys. What it does not keep is any answer: whether a file is stored or absent is asked of the
/// repository each time.
final class ResidentWal implements AutoCloseable {
    /// A segment takes some three times its size while it is worked on, and the memory is shared
    /// with a receiver.
    static final int MAX_SEGMENT_BYTES = 32 << 20;

    /// What PostgreSQL calls a segment while it recovers; `pg_rewind` asks for it by its own name.
    private static final Path RECOVERY = Path.of("RECOVERYXLOG");

    private static final int AT_ONCE = 2;
    private static final int MAX_REPOSITORIES = 8;

    private final Map<RepositorySettings, Opened> open = new HashMap<>();
    private final Semaphore turns = new Semaphore(AT_ONCE, true);
    private final WalAhead ahead;

    /// @param notes is told what went wrong and hurts nobody
    ResidentWal(Consumer<String> notes) {
        ahead = new WalAhead(notes);
    }

    /// The route of one request.
    ///
    /// @param fresh what `get` writes instead of the file it is asked for
    WalRoute route(String fresh) {
        return new Route(fresh);
    }

    private record Opened(Repository repository, Map<String, ProtectedSource> sources) {
        ProtectedSource source(String name, Function<Repository, ProtectedSource> find) {
            synchronized (sources) {
                return sources.computeIfAbsent(name, _ -> find.apply(repository));
            }
        }
    }

    private Opened opened(Session session) {
        RepositorySettings settings = session.configuration().repository();
        OpenSource.warnOfOpenKey(session);
        synchronized (open) {
            Opened known = open.get(settings);
            if (known != null) {
                return known;
            }
            if (open.size() == MAX_REPOSITORIES) {
                throw tooMuch("the agent serves " + MAX_REPOSITORIES + " repositories already");
            }
            Repository repository =
                    RepositoryAccess.open(settings, new Ground(session.clock(), session.random()));
            Opened opened = new Opened(repository, new HashMap<>());
            open.put(settings, opened);
            return opened;
        }
    }

    private static MainstayException tooMuch(String what) {
        return new MainstayException(ErrorCode.INTERNAL, what);
    }

    @Override
    public void close() {
        ahead.close();
        synchronized (open) {
            open.values().forEach(each -> each.repository.close());
            open.clear();
        }
    }

    private final class Route implements WalRoute {
        private final String fresh;

        Route(String fresh) {
            this.fresh = fresh;
        }

        @Override
        public WalArchive.Stored push(
                Session session, String source, Path file, Path dataDirectory) {
            requireModest(length(file));
            begin();
            try {
                return ahead.push(
                        new WalPush(
                                opened(session)
                                        .source(
                                                source,
                                                repository -> repository.sourceOrAdd(source)),
                                session.configuration().repository().zstdLevel()),
                        file,
                        dataDirectory);
            } finally {
                turns.release();
            }
        }

        @Override
        public boolean get(Session session, Wish wish) {
            begin();
            try {
                Cluster cluster =
                        DirectWal.cluster(
                                wish.here(),
                                opened(session)
                                        .source(
                                                wish.source(),
                                                repository ->
                                                        OpenSource.known(
                                                                session,
                                                                repository,
                                                                wish.source())));
                requireModest(cluster.segmentSizeBytes());
                return ahead.get(
                        new WalGet(
                                cluster.source(),
                                cluster.system(),
                                cluster.segmentSizeBytes(),
                                wish.unfinishedToo()),
                        wish.name(),
                        fresh(wish),
                        wish.target().endsWith(RECOVERY));
            } finally {
                turns.release();
            }
        }

        /// The launcher and the command line must mean the same file.
        private Path fresh(Wish wish) {
            Path file = wish.here().resolve(fresh);
            String begin = wish.target() + ".mainstay~";
            if (!file.toString().startsWith(begin)
                    || !file.toString().substring(begin.length()).matches("[0-9]+")) {
                throw new MainstayException(
                        ErrorCode.USAGE_INVALID, file + " is not beside " + wish.target());
            }
            return file;
        }

        @Override
        public boolean isFinal() {
            return false;
        }
    }

    private void begin() {
        try {
            turns.acquire();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new MainstayException(ErrorCode.INTERRUPTED, "the agent is ending", stopped);
        }
    }

    private static long length(Path file) {
        try {
            return Files.size(file);
        } catch (IOException failed) {
            throw new MainstayException(
                    ErrorCode.WAL_FILE_INVALID, "cannot read " + file + ": " + failed, failed);
        }
    }

    private static void requireModest(long bytes) {
        if (bytes > MAX_SEGMENT_BYTES) {
            throw tooMuch("a segment of " + bytes + " bytes is too large for the agent's memory");
        }
    }
}
