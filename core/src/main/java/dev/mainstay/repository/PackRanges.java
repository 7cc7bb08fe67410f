package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.ObjectHeader;
import dev.mainstay.repository.format.ObjectSeal;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackId;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Fetches ranges of packs, with what opens them: the header of a pack is fetched once, along with
/// the first range where that lies near it. Thread-safe.
public final class PackRanges {
    /// What is fetched for nothing between a header and a range takes less time than a request.
    private static final int HEADER_REACH = 64 << 10;

    /// Ranges that are on their way at once, at most.
    private static final int AHEAD = 16;

    private final Vault vault;
    private final Map<PackId, ObjectSeal> seals = new ConcurrentHashMap<>();

    /// Packs whose header somebody fetches, or has.
    private final Set<PackId> headers = ConcurrentHashMap.newKeySet();

    PackRanges(Vault vault) {
        this.vault = vault;
    }

    /// Ranges one after the other, for who reads them alone.
    FetchAhead<Fetched> ahead(List<PackRange> wanted) {
        return ahead(2L * PackRange.MOST_BYTES, wanted.iterator());
    }

    /// Ranges one after the other.
    ///
    /// @param mostBytes of them in memory, but for what readers need to go on
    public FetchAhead<Fetched> ahead(long mostBytes, Iterator<PackRange> wanted) {
        return new FetchAhead<>(
                vault.ground.beside(),
                AHEAD,
                mostBytes,
                new Iterator<>() {
                    @Override
                    public boolean hasNext() {
                        return wanted.hasNext();
                    }

                    @Override
                    public FetchAhead.Fetch<Fetched> next() {
                        PackRange range = wanted.next();
                        return new FetchAhead.Fetch<>(range.length(), () -> fetch(range));
                    }
                });
    }

    /// Frames one after the other, each with a request of its own.
    FetchAhead<Fetched> ahead(long mostBytes, List<FrameRef> frames) {
        return ahead(
                mostBytes, frames.stream().map(each -> new PackRange(List.of(each))).iterator());
    }

    /// Whether something of a pack was fetched.
    boolean knows(PackId pack) {
        return seals.containsKey(pack);
    }

    /// Bytes of a pack.
    ///
    /// @param name of the object
    /// @param offset of the first of `bytes`
    public record Fetched(PackId pack, String name, long offset, byte[] bytes) {}

    /// @throws MainstayException STORE_OBJECT_MISSING if the pack is, or what is wrong with it
    public Fetched fetch(PackRange range) {
        String name = range.packName();
        boolean withHeader = headers.add(range.pack());
        boolean done = false;
        try {
            Fetched fetched = withHeader ? fetchWithHeader(range, name) : fetch(range, name);
            done = true;
            return fetched;
        } catch (MainstayException failed) {
            throw failed.code() == ErrorCode.STORE_OBJECT_MISSING ? missing(name) : failed;
        } finally {
            if (withHeader && !done) {
                headers.remove(range.pack());
            }
        }
    }

    private Fetched fetchWithHeader(PackRange range, String name) {
        if (range.offset() <= HEADER_REACH) {
            int length = Math.addExact((int) range.offset(), range.length());
            Fetched fetched = new Fetched(range.pack(), name, 0, vault.store.get(name, 0, length));
            seals.put(range.pack(), seal(name, fetched.bytes));
            return fetched;
        }
        try (FetchAhead<byte[]> header =
                FetchAhead.small(vault.ground.beside(), List.of(name), this::header)) {
            Fetched fetched = fetch(range, name);
            seals.put(range.pack(), seal(name, header.next()));
            return fetched;
        }
    }

    private byte[] header(String name) {
        return vault.store.get(name, 0, ObjectHeader.SIZE);
    }

    private Fetched fetch(PackRange range, String name) {
        byte[] bytes = vault.store.get(name, range.offset(), range.length());
        return new Fetched(range.pack(), name, range.offset(), bytes);
    }

    /// What opens it. Its header comes with another range of the same pack; if that is not there
    /// yet, it is fetched.
    ObjectSeal seal(Fetched fetched) {
        ObjectSeal known = seals.get(fetched.pack);
        if (known != null) {
            return known;
        }
        ObjectSeal seal = seal(fetched.name, header(fetched.name));
        seals.put(fetched.pack, seal);
        return seal;
    }

    private ObjectSeal seal(String name, byte[] from) {
        byte[] header = Arrays.copyOf(from, ObjectHeader.SIZE);
        return vault.openSeal(name, ObjectHeader.read(name, ObjectType.PACK, header));
    }

    static MainstayException missing(FrameRef wanted) {
        return missing(Names.pack(wanted.packClass(), wanted.pack()));
    }

    private static MainstayException missing(String name) {
        return new MainstayException(
                ErrorCode.STORE_OBJECT_MISSING, "pack " + name + " is missing");
    }
}
