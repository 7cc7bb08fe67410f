package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.RecordChain.Event;
import dev.mainstay.repository.format.ObjectType;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;

/// The newest records of a source, found without reading all of them: what the summaries of WAL
/// segments carry, so that a record after which nothing was recorded cannot vanish unnoticed.
/// Thread-safe; what was read once is not read again.
final class NewestRecords {
    /// A record as a summary names it.
    record Head(String object, String sha256) {}

    /// Records of each folder that are wanted: two, since clocks, which decide the order of slot
    /// names, may be wrong.
    private static final int WANTED = 2;

    /// Objects of each folder that are read at most, where many backups were given up.
    private static final int READ = 16;

    private final ProtectedSource source;
    private volatile Map<String, Event> known = Map.of();

    NewestRecords(ProtectedSource source) {
        this.source = source;
    }

    List<Head> heads() {
        Map<String, Event> read = new HashMap<>();
        List<Event> newest = new ArrayList<>();
        List<String> prefixes = RecordsTag.prefixes(source);
        try (FetchAhead<Deque<String>> names =
                FetchAhead.small(beside(), prefixes, this::lastNames)) {
            newest.addAll(newest(names.next(), ObjectType.SLOT, read));
            newest.addAll(newest(names.next(), ObjectType.RECORD, read));
        }
        known = read;
        return RecordChain.heads(newest).stream()
                .map(record -> new Head(record.object(), record.sha256()))
                .toList();
    }

    /// Some of the newest backups, newest first by the chain.
    List<CommittedBackup> backups() {
        Map<String, Event> read = new HashMap<>();
        List<Event> commits =
                newest(lastNames(Names.slots(source.id())), ObjectType.SLOT, read).stream()
                        .sorted(Comparator.comparingLong(Event::sequence).reversed())
                        .toList();
        Map<String, Event> both = new HashMap<>(known);
        both.putAll(read);
        known = both; // what another thread came to know meanwhile is read once more
        List<CommittedBackup> backups = new ArrayList<>();
        for (Event commit : commits) {
            try {
                backups.add(CommittedBackup.read(commit));
            } catch (MainstayException malformed) {
                // verification tells of it
            }
        }
        return backups;
    }

    private Executor beside() {
        return source.repository().ground().beside();
    }

    private Deque<String> lastNames(String prefix) {
        Deque<String> last = new ArrayDeque<>();
        Listing.forEach(
                source.vault().store,
                prefix,
                object -> {
                    last.addFirst(object.name());
                    if (last.size() > READ) {
                        last.removeLast();
                    }
                });
        return last;
    }

    private List<Event> newest(Deque<String> last, ObjectType type, Map<String, Event> read) {
        List<Event> found = new ArrayList<>();
        for (String name : last) {
            try {
                Event record = known.get(name);
                if (record == null) {
                    record = RecordChain.open(source.vault(), name, type);
                }
                read.put(name, record);
                if (!record.type().equals("abort")) {
                    found.add(record);
                }
            } catch (MainstayException damaged) {
                if (damaged.code() == ErrorCode.STORE_UNAVAILABLE) {
                    throw damaged;
                }
                continue; // verification tells of it; the log has to go on
            }
            if (found.size() == WANTED) {
                break;
            }
        }
        return found;
    }
}
