package dev.mainstay.it;

import dev.mainstay.postgres.cluster.ClusterFile;
import dev.mainstay.postgres.cluster.ClusterFiles;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.ServerVersion;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.PackReader;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.PageList;
import dev.mainstay.repository.format.SegmentMap;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/// The files of a backup, read from the repository without restoring it, or those of a data
/// directory that a backup would hold.
final class FileTree implements AutoCloseable {
    /// A file, directory or link. Where a link leads is part of what it is.
    record Item(Kind kind, String target) {
        static Item of(Kind kind) {
            return new Item(kind, "");
        }
    }

    enum Kind {
        RELATION,
        FILE,
        DIRECTORY,
        LINK
    }

    /// Reads a file's content.
    private interface Reading {
        byte[] content(String path);

        void close();
    }

    private final SortedMap<String, Item> items;
    private final Reading reading;

    private FileTree(SortedMap<String, Item> items, Reading reading) {
        this.items = items;
        this.reading = reading;
    }

    static FileTree of(ProtectedSource source, CommittedBackup backup) {
        Stored stored = new Stored(source.read(backup));
        SortedMap<String, Item> items = new TreeMap<>();
        stored.reader.entries(
                entry -> {
                    Item before = items.put(entry.path(), item(entry.content()));
                    if (before != null) {
                        throw new AssertionError(entry.path() + " is twice in " + backup.id());
                    }
                    stored.entries.put(entry.path(), entry);
                });
        return new FileTree(items, stored);
    }

    private static Item item(Content content) {
        return switch (content) {
            case Content.Paged _ -> Item.of(Kind.RELATION);
            case Content.Chunked _ -> Item.of(Kind.FILE);
            case Content.Directory _ -> Item.of(Kind.DIRECTORY);
            case Content.Link link -> new Item(Kind.LINK, link.target());
        };
    }

    /// The files as they are now; those who ask see what is in them when they ask.
    static FileTree of(Path dataDirectory) {
        ControlFile control = ControlFile.read(dataDirectory, _ -> {});
        SortedMap<String, Item> items = new TreeMap<>();
        Map<String, Path> places = new HashMap<>();
        ClusterFiles.of(dataDirectory, ServerVersion.ofDataDirectory(dataDirectory), control)
                .scan(
                        file -> {
                            items.put(file.path(), item(file.kind()));
                            places.put(file.path(), file.source());
                        });
        return new FileTree(items, new Live(places));
    }

    private static Item item(ClusterFile.Kind kind) {
        return switch (kind) {
            case ClusterFile.Relation _ -> Item.of(Kind.RELATION);
            case ClusterFile.Slru _, ClusterFile.Other _ -> Item.of(Kind.FILE);
            case ClusterFile.Directory _ -> Item.of(Kind.DIRECTORY);
            case ClusterFile.Link link -> new Item(Kind.LINK, link.target());
        };
    }

    SortedMap<String, Item> items() {
        return items;
    }

    byte[] content(String path) {
        return reading.content(path);
    }

    /// A relation file's content, if there is such a file.
    Optional<byte[]> relation(String path) {
        Item item = items.get(path);
        return item != null && item.kind() == Kind.RELATION
                ? Optional.of(content(path))
                : Optional.empty();
    }

    /// The same with other content of one file; closing either closes both.
    FileTree with(String path, byte[] content) {
        return new FileTree(
                items,
                new Reading() {
                    @Override
                    public byte[] content(String asked) {
                        return asked.equals(path) ? content : reading.content(asked);
                    }

                    @Override
                    public void close() {
                        reading.close();
                    }
                });
    }

    /// The same without one file.
    FileTree without(String path) {
        SortedMap<String, Item> fewer = new TreeMap<>(items);
        fewer.remove(path);
        return new FileTree(fewer, reading);
    }

    @Override
    public void close() {
        reading.close();
    }

    private record Live(Map<String, Path> places) implements Reading {
        @Override
        public byte[] content(String path) {
            try {
                return Files.readAllBytes(places.getOrDefault(path, Path.of("")));
            } catch (IOException unreadable) {
                throw new UncheckedIOException(unreadable);
            }
        }

        @Override
        public void close() {}
    }

    private static final class Stored implements Reading {
        private final BackupReader reader;
        private final PackReader packs;
        private final Map<String, ManifestEntry> entries = new HashMap<>();

        Stored(BackupReader reader) {
            this.reader = reader;
            this.packs = reader.newPackReader();
        }

        @Override
        public byte[] content(String path) {
            ManifestEntry entry = entries.get(path);
            return switch (entry == null ? new Content.Directory() : entry.content()) {
                case Content.Paged paged -> pages(reader.map(paged));
                case Content.Chunked chunked -> chunks(chunked);
                case Content.Directory _, Content.Link _ ->
                        throw new AssertionError(path + " is no file");
            };
        }

        private byte[] pages(SegmentMap map) {
            int block = map.blockSizeBytes();
            byte[] content = new byte[map.pageCount() * block];
            Map<FrameRef, Integer> wanted = new HashMap<>();
            for (int i = 0; i < map.frames().size(); i++) {
                wanted.put(map.frames().get(i).ref(), i);
            }
            boolean[] placed = new boolean[map.pageCount()];
            for (FrameRef ref : wanted.keySet()) {
                packs.readAll(
                        List.of(ref),
                        (_, frame) -> {
                            int[] blocks = PageList.read("a frame", frame.meta()).blocks();
                            for (int n = 0; n < blocks.length; n++) {
                                int at = blocks[n];
                                if (at < placed.length
                                        && map.frameOf()[at] == wanted.getOrDefault(ref, -1)) {
                                    System.arraycopy(
                                            frame.payload(), n * block, content, at * block, block);
                                    placed[at] = true;
                                }
                            }
                        });
            }
            for (boolean each : placed) {
                if (!each) {
                    throw new AssertionError("a page of a map is in none of its frames");
                }
            }
            return content;
        }

        private byte[] chunks(Content.Chunked chunked) {
            ByteArrayOutputStream content = new ByteArrayOutputStream();
            for (ManifestEntry.ChunkRef chunk : chunked.chunks()) {
                packs.readAll(
                        List.of(chunk.frame()),
                        (_, frame) -> content.write(frame.payload(), 0, chunk.lengthBytes()));
            }
            return content.toByteArray();
        }

        @Override
        public void close() {
            packs.close();
            reader.close();
        }
    }
}
