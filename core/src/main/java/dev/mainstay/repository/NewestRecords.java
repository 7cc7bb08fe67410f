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
    private final Map<String, Event> known = new HashMap<>();

    NewestRecords(ProtectedSource source) {
        this.source = source;
    }

    synchronized List<Head> heads() {
        Map<String, Event> read = new HashMap<>();
        List<Event> newest = new ArrayList<>();
        newest.addAll(newest(Names.slots(source.id()), ObjectType.SLOT, read));
        newest.addAll(newest(Names.records(source.id()), ObjectType.RECORD, read));
        known.clear();
        known.putAll(read);
        return RecordChain.heads(newest).stream()
                .map(record -> new Head(record.object(), record.sha256()))
                .toList();
    }

    /// Some of the newest backups, newest first by the chain.
    synchronized List<CommittedBackup> backups() {
        Map<String, Event> read = new HashMap<>();
        List<Event> commits =
                newest(Names.slots(source.id()), ObjectType.SLOT, read).stream()
                        .sorted(Comparator.comparingLong(Event::sequence).reversed())
                        .toList();
        known.putAll(read);
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

    private List<Event> newest(String prefix, ObjectType type, Map<String, Event> read) {
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
