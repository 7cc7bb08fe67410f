package dev.mainstay.it;

import dev.mainstay.base.WalSegment;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.testkit.TestCluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/// Does for a test cluster what archive_command does: whatever `archive_status` says is ready is
/// put into the archive. The cluster needs `archive_mode=on` and an `archive_command` that fails,
/// so that the server keeps its segments ready.
final class PgWalArchiver implements AutoCloseable {
    private final TestCluster cluster;
    private final WalArchive archive;
    private final int segmentSizeBytes;
    private final Set<String> done = new HashSet<>();
    private final Thread thread;
    private volatile boolean stopped;

    PgWalArchiver(TestCluster cluster, WalArchive archive, int segmentSizeBytes) {
        this.cluster = cluster;
        this.archive = archive;
        this.segmentSizeBytes = segmentSizeBytes;
        this.thread = Thread.startVirtualThread(this::run);
    }

    private void run() {
        while (!stopped) {
            archiveReady();
            LockSupport.parkNanos(20_000_000);
        }
    }

    synchronized void archiveReady() {
        Path wal = cluster.dataDirectory().resolve("pg_wal");
        try (Stream<Path> files = Files.list(wal.resolve("archive_status"))) {
            List<String> ready =
                    files.map(file -> file.getFileName().toString())
                            .filter(name -> name.endsWith(".ready"))
                            .map(name -> name.substring(0, name.length() - 6))
                            .sorted()
                            .toList();
            for (String name : ready) {
                if (done.add(name)) {
                    byte[] content = Files.readAllBytes(wal.resolve(name));
                    if (WalSegment.isName(name)) {
                        archive.put(WalSegment.parse(name, segmentSizeBytes), content);
                    } else {
                        archive.putFile(name, content);
                    }
                }
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    @Override
    public void close() {
        stopped = true;
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        archiveReady();
    }
}
