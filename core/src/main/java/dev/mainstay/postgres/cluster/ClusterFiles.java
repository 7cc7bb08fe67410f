package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.ClusterPaths.RelationDirectory;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Everything of a data directory that belongs into a backup, delivered one by one: neither this
/// class nor the order of delivery needs all files in memory.
///
/// - A directory or link comes before what it contains; otherwise the order is that of the file
///   system.
/// - What PostgreSQL's own base backup leaves out is left out, `global/pg_control` too: it is read
///   last of all, by [ControlFile#readBytes]. Of unlogged relations only the init fork comes.
/// - Of `pg_wal` the directory, or the link, comes with the empty directories in it.
/// - Links are followed. Of a tablespace only the directory of this server version comes: others
///   belong to other clusters.
/// - What vanishes during the scan is passed over: a running server removes files. Sockets, pipes
///   and devices are passed over too.
public final class ClusterFiles {
    private final Path dataDirectory;
    private final String tablespaceDirectory;

    private ClusterFiles(Path dataDirectory, String tablespaceDirectory) {
        this.dataDirectory = dataDirectory.toAbsolutePath();
        this.tablespaceDirectory = tablespaceDirectory;
    }

    /// @param control of this data directory; names the directories of tablespaces
    public static ClusterFiles of(Path dataDirectory, ServerVersion version, ControlFile control) {
        return of(dataDirectory, version.tablespaceDirectory(control.catalogVersion()));
    }

    /// @param tablespaceDirectory such as `PG_15_202209061`
    static ClusterFiles of(Path dataDirectory, String tablespaceDirectory) {
        return new ClusterFiles(dataDirectory, tablespaceDirectory);
    }

    /// Delivers the data directory itself (with an empty path) and everything below.
    ///
    /// @throws MainstayException BACKUP_FILE_UNREADABLE naming the first thing that may not be
    ///   read; BACKUP_LINK_LOOP if a link leads to a directory that contains it
    public void scan(Consumer<? super ClusterFile> consumer) {
        new Walk(consumer).start();
    }

    private final class Walk {
        private final Consumer<? super ClusterFile> consumer;
        private final Principals principals = new Principals();
        private final Deque<Object> ancestors = new ArrayDeque<>();

        Walk(Consumer<? super ClusterFile> consumer) {
            this.consumer = consumer;
        }

        void start() {
            try {
                FileStatus status = FileStatus.of(dataDirectory);
                emit("", dataDirectory, status, ClusterFile.Directory.INSTANCE, Optional.empty());
                descend("", dataDirectory, status);
            } catch (IOException e) {
                throw unreadable(dataDirectory, e);
            }
        }

        private void descend(String path, Path directory, FileStatus status) {
            if (ancestors.contains(status.key())) {
                throw new MainstayException(
                        ErrorCode.BACKUP_LINK_LOOP,
                        directory + " leads back to a directory that contains it");
            }
            ancestors.push(status.key());
            try {
                Optional<RelationDirectory> relations = ClusterPaths.relations(path);
                Set<Long> unlogged =
                        relations.isPresent() ? unlogged(directory, relations.get()) : Set.of();
                list(directory, child -> visit(path, child, relations, unlogged));
            } finally {
                ancestors.pop();
            }
        }

        private void visit(
                String parent,
                Path child,
                Optional<RelationDirectory> relations,
                Set<Long> unlogged) {
            String name = child.getFileName().toString();
            String path = parent.isEmpty() ? name : parent + "/" + name;
            if (ClusterPaths.isLeftOut(path, name)
                    || isForeignInTablespace(parent, name)
                    || (relations.isPresent() && ClusterPaths.isTemporary(name))) {
                return;
            }
            Optional<RelationFile> relation =
                    relations.flatMap(
                            in -> RelationFile.parse(in.tablespaceOid(), in.databaseOid(), name));
            if (relation.isPresent()
                    && relation.get().fork() != RelationFile.Fork.INIT
                    && unlogged.contains(relation.get().relfilenode())) {
                return;
            }
            try {
                visit(parent, path, child, relation);
            } catch (NoSuchFileException vanished) {
                // a running server removes files
            } catch (IOException e) {
                throw unreadable(child, e);
            }
        }

        private void visit(String parent, String path, Path child, Optional<RelationFile> relation)
                throws IOException {
            FileStatus status = FileStatus.of(child, LinkOption.NOFOLLOW_LINKS);
            Optional<String> target = Optional.empty();
            if (status.isLink()) {
                target = Optional.of(Files.readSymbolicLink(child).toString());
                try {
                    status = FileStatus.of(child);
                } catch (NoSuchFileException dangling) {
                    ClusterFile.Kind kind = new ClusterFile.Link(target.get());
                    emit(path, child, status, kind, target);
                    return;
                }
            }
            if (status.isDirectory()) {
                directory(path, child, status, target);
            } else if (status.isRegular()) {
                emit(path, child, status, kind(parent, child, relation), target);
            }
        }

        private void directory(String path, Path child, FileStatus status, Optional<String> target)
                throws IOException {
            ClusterFile.Kind kind =
                    target.<ClusterFile.Kind>map(ClusterFile.Link::new)
                            .orElse(ClusterFile.Directory.INSTANCE);
            emit(path, child, status, kind, target);
            if (path.equals("pg_wal")) {
                walDirectories(child);
            } else if (!ClusterPaths.isEmptied(path)) {
                descend(path, child, status);
            }
        }

        /// Without them archiving, and from 17 on the WAL summarizer, would not work.
        private void walDirectories(Path wal) throws IOException {
            for (String name : new String[] {"archive_status", "summaries"}) {
                Path directory = wal.resolve(name);
                try {
                    ClusterFile.Kind kind = ClusterFile.Directory.INSTANCE;
                    FileStatus status = FileStatus.of(directory);
                    emit("pg_wal/" + name, directory, status, kind, Optional.empty());
                } catch (NoSuchFileException absent) {
                    // summaries came with version 17
                }
            }
        }

        private void emit(
                String path,
                Path source,
                FileStatus status,
                ClusterFile.Kind kind,
                Optional<String> target)
                throws IOException {
            LinkOption[] options =
                    status.isLink()
                            ? new LinkOption[] {LinkOption.NOFOLLOW_LINKS}
                            : new LinkOption[0];
            consumer.accept(
                    new ClusterFile(
                            path,
                            kind,
                            status.isRegular() ? status.sizeBytes() : 0,
                            status.modifiedMicros(),
                            status.mode(),
                            principals.owner(status.uid(), source, options),
                            principals.group(status.gid(), source, options),
                            source,
                            target));
        }
    }

    private static ClusterFile.Kind kind(
            String parent, Path file, Optional<RelationFile> relation) {
        if (relation.isPresent()) {
            return new ClusterFile.Relation(relation.get());
        }
        return ClusterPaths.isSlru(parent)
                        && ClusterPaths.isSlruSegment(file.getFileName().toString())
                ? ClusterFile.Slru.INSTANCE
                : ClusterFile.Other.INSTANCE;
    }

    /// Next to the directory of this version may stand those of versions that pg_upgrade left.
    private boolean isForeignInTablespace(String parent, String name) {
        return parent.startsWith("pg_tblspc/")
                && parent.indexOf('/', "pg_tblspc/".length()) < 0
                && !name.equals(tablespaceDirectory);
    }

    /// Relations with an init fork; names only, so this costs little even with millions of files.
    private static Set<Long> unlogged(Path directory, RelationDirectory in) {
        Set<Long> result = new HashSet<>();
        list(
                directory,
                file -> {
                    String name = file.getFileName().toString();
                    if (name.endsWith("_init")) {
                        RelationFile.parse(in.tablespaceOid(), in.databaseOid(), name)
                                .ifPresent(relation -> result.add(relation.relfilenode()));
                    }
                });
        return result;
    }

    private static void list(Path directory, Consumer<Path> consumer) {
        try (DirectoryStream<Path> children = Files.newDirectoryStream(directory)) {
            children.forEach(consumer);
        } catch (NoSuchFileException | NotDirectoryException vanished) {
            // a running server removes directories: DROP DATABASE
        } catch (DirectoryIteratorException e) {
            throw unreadable(directory, e);
        } catch (IOException e) {
            throw unreadable(directory, e);
        }
    }

    private static MainstayException unreadable(Path file, Exception e) {
        return new MainstayException(
                ErrorCode.BACKUP_FILE_UNREADABLE, "cannot read " + file + ": " + e, e);
    }
}
