package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.repository.ExpectedFrames.Expected;
import dev.mainstay.repository.format.ChunkId;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/// Judges the packs of a listing by what backups expect of them, and finds those that are missing.
/// Packs come in the order of their names; their contents may be read by several threads.
final class PackSurvey {
    /// A pack that is not what it should be.
    record Broken(String name, MainstayException why) {}

    private final Repository repository;
    private final int threads;
    private final ExpectedFrames expected;
    private final List<ProtectedSource> origins;
    private final Map<SourceId, ProtectedSource> known;
    private final Map<PackId, Broken> broken = new HashMap<>();
    private final Map<PackId, Set<Integer>> spoilt = new HashMap<>();

    /// Packs of frames that were found spoilt in another pack, and these.
    private final Map<PackId, Set<PackId>> blamed = new HashMap<>();

    private final Deque<PackCheck> idle = new ArrayDeque<>();
    private final AtomicLong frames = new AtomicLong();
    private Map<PackId, List<Expected>> bucket = Map.of();
    private int bucketNumber = -1;
    private long seen;
    private long read;
    private long unused;

    PackSurvey(
            Repository repository,
            int threads,
            ExpectedFrames expected,
            List<ProtectedSource> origins,
            Map<SourceId, ProtectedSource> known) {
        this.repository = repository;
        this.threads = threads;
        this.expected = expected;
        this.origins = origins;
        this.known = known;
    }

    static String name(FrameRef ref) {
        return Names.pack(ref.packClass(), ref.pack());
    }

    /// Tells what is expected of the next pack of the listing.
    List<Expected> expectedOf(PackClass packClass, PackId pack) {
        int number = ExpectedFrames.bucketOf(packClass, pack);
        if (number != bucketNumber) {
            endBucket();
            bucket = expected.take(number);
            bucketNumber = number;
        }
        seen++;
        List<Expected> all = bucket.remove(pack);
        if (all == null) {
            unused++;
            return List.of();
        }
        return all;
    }

    /// What is left of a bucket was not listed.
    private void endBucket() {
        bucket.forEach(this::missing);
        bucket = Map.of();
    }

    /// The listing is at its end.
    void endListing() {
        endBucket();
        for (int number : expected.remaining()) {
            bucket = expected.take(number);
            endBucket();
        }
    }

    private void missing(PackId pack, List<Expected> users) {
        Set<FrameRef> gone = probe(users);
        if (!gone.isEmpty()) {
            String name = name(users.getFirst().at());
            breaks(
                    pack,
                    name,
                    new MainstayException(
                            ErrorCode.STORE_OBJECT_MISSING, "pack " + name + " is missing"),
                    gone);
        }
    }

    /// Reads frames one by one, as a restore does, and tells those that do not come as expected.
    private Set<FrameRef> probe(List<Expected> users) {
        Set<FrameRef> gone = new HashSet<>();
        if (users.isEmpty()) {
            return gone;
        }
        try (PackReader reader = new PackReader(origins.get(users.getFirst().origin()))) {
            for (Expected each : users) {
                if (!gone.contains(each.ref()) && !comes(reader, each)) {
                    gone.add(each.ref());
                }
            }
        }
        return gone;
    }

    private static boolean comes(PackReader reader, Expected each) {
        try {
            boolean metadata = each.kind() != FrameKind.PAGES && each.kind() != FrameKind.CHUNK;
            return PackCheck.agrees(
                    each,
                    metadata
                            ? reader.read(each.ref())
                            : reader.read(each.ref(), (_, frame) -> PackCheck.agrees(each, frame)));
        } catch (MainstayException wrong) {
            if (wrong.code() == ErrorCode.STORE_UNAVAILABLE) {
                throw wrong;
            }
            return false;
        }
    }

    private void breaks(PackId pack, String name, MainstayException why, Set<FrameRef> gone) {
        synchronized (broken) {
            broken.putIfAbsent(pack, new Broken(name, why));
            for (FrameRef each : gone) {
                spoilt.computeIfAbsent(each.pack(), _ -> new HashSet<>()).add(each.number());
                blamed.computeIfAbsent(each.pack(), _ -> new HashSet<>()).add(pack);
            }
        }
    }

    /// The packs to be named when something of a pack is lost: itself, or where it has moved to.
    Set<PackId> blamed(PackId pack) {
        synchronized (broken) {
            return blamed.getOrDefault(pack, Set.of(pack));
        }
    }

    /// Reads and judges one pack; from any thread.
    void check(String name, PackId pack, long size, List<Expected> users) {
        PackCheck check = borrow();
        try {
            long before = check.frames();
            Optional<MainstayException> wrong = check.check(name, pack, size, users);
            frames.addAndGet(check.frames() - before);
            wrong.ifPresent(why -> breaks(pack, name, why, probe(users)));
            Map<PackId, List<Expected>> elsewhere = new HashMap<>();
            for (Expected each : check.misplaced()) {
                elsewhere
                        .computeIfAbsent(each.ref().pack(), _ -> new ArrayList<>())
                        .add(each.movedTo(each.ref()));
            }
            elsewhere.forEach(this::missing);
        } finally {
            giveBack(check);
        }
    }

    private PackCheck borrow() {
        synchronized (idle) {
            read++;
            PackCheck check = idle.poll();
            return check != null
                    ? check
                    : new PackCheck(
                            repository.store(),
                            header -> RepositoryCheck.vaultOf(repository, known, header),
                            this::isChunk);
        }
    }

    private void giveBack(PackCheck check) {
        synchronized (idle) {
            if (idle.size() < threads) {
                idle.push(check);
                return;
            }
        }
        check.close();
    }

    /// In a repository without encryption a pack does not say whose it is, so every source's key is
    /// tried.
    private boolean isChunk(ChunkId id, Frame frame) {
        return known.isEmpty()
                || known.values().stream()
                        .anyMatch(
                                source ->
                                        id.equals(
                                                new ChunkNames(source)
                                                        .of(frame.payload(), frame.length())));
    }

    void spoil(FrameRef ref) {
        synchronized (broken) {
            spoilt.computeIfAbsent(ref.pack(), _ -> new HashSet<>()).add(ref.number());
        }
    }

    boolean isSpoilt(FrameRef ref) {
        synchronized (broken) {
            return spoilt.getOrDefault(ref.pack(), Set.of()).contains(ref.number());
        }
    }

    Map<PackId, Broken> broken() {
        return broken;
    }

    long seen() {
        return seen;
    }

    long read() {
        return read;
    }

    long unused() {
        return unused;
    }

    long frames() {
        return frames.get();
    }

    void close() {
        idle.forEach(PackCheck::close);
        idle.clear();
    }
}
