package dev.mainstay.testkit;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/// The judge of content: what a whole cluster holds, read over SQL, in a form that two clusters can
/// be compared by. Each database is read in one snapshot; for the state at one LSN let the writers
/// pause ([Workload#pause]).
///
/// A part is a catalog, or the rows of one table (their number and an order-independent sum of
/// their SHA-256 digests), or the state of one sequence. Rows of unlogged and temporary relations
/// do not count: no recovery brings them back. Nor do locations of tablespaces.
public final class ContentDigest {
    private static final int SHOWN = 3;

    private final SortedMap<String, List<String>> parts;
    private final SortedMap<String, SequenceState> sequences;

    private ContentDigest(
            SortedMap<String, List<String>> parts, SortedMap<String, SequenceState> sequences) {
        this.parts = parts;
        this.sequences = sequences;
    }

    public static ContentDigest of(TestCluster cluster) {
        SortedMap<String, List<String>> parts = new TreeMap<>();
        SortedMap<String, SequenceState> sequences = new TreeMap<>();
        try {
            ContentReader.shared(cluster, parts);
            for (String database : cluster.rows("postgres", TestCluster.DATABASES)) {
                ContentReader.database(cluster, database, parts, sequences);
            }
        } catch (SQLException e) {
            throw new IllegalStateException("cannot read the content: " + e.getMessage(), e);
        }
        return new ContentDigest(parts, sequences);
    }

    /// One SHA-256 for everything.
    public String sha256() {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
        parts.forEach(
                (name, lines) -> {
                    digest.update((name + "\n").getBytes(StandardCharsets.UTF_8));
                    lines.forEach(l -> digest.update((l + "\n").getBytes(StandardCharsets.UTF_8)));
                });
        sequences.forEach(
                (name, s) ->
                        digest.update(
                                (name + s.value() + s.called() + "\n")
                                        .getBytes(StandardCharsets.UTF_8)));
        return HexFormat.of().formatHex(digest.digest());
    }

    /// Names of all parts, such as `postgres: rows of public.t`.
    public SortedSet<String> parts() {
        SortedSet<String> names = new TreeSet<>(parts.keySet());
        names.addAll(sequences.keySet());
        return names;
    }

    /// What differs, part by part; empty if nothing does.
    public List<String> differences(ContentDigest other) {
        return differences(other, false);
    }

    /// As [#differences], where `recovered` went through recovery from WAL: PostgreSQL logs
    /// sequences ahead, so that each of them may stand at the value of its last WAL record.
    public List<String> differencesAfterRecovery(ContentDigest recovered) {
        return differences(recovered, true);
    }

    private List<String> differences(ContentDigest other, boolean recovered) {
        List<String> result = new ArrayList<>();
        SortedSet<String> names = new TreeSet<>(parts.keySet());
        names.addAll(other.parts.keySet());
        for (String name : names) {
            List<String> here = parts.getOrDefault(name, List.of("(no such part)"));
            List<String> there = other.parts.getOrDefault(name, List.of("(no such part)"));
            if (!here.equals(there)) {
                result.add(name + ": " + only(here, there) + " became " + only(there, here));
            }
        }
        SortedSet<String> all = new TreeSet<>(sequences.keySet());
        all.addAll(other.sequences.keySet());
        for (String name : all) {
            SequenceState here = sequences.get(name);
            SequenceState there = other.sequences.get(name);
            if (here == null || there == null || !here.mayBecome(there, recovered)) {
                result.add(name + ": " + here + " became " + there);
            }
        }
        return result;
    }

    private static String only(List<String> here, List<String> there) {
        List<String> rest = new ArrayList<>(here);
        there.forEach(rest::remove);
        String more = rest.size() > SHOWN ? " and " + (rest.size() - SHOWN) + " more" : "";
        return rest.subList(0, Math.min(SHOWN, rest.size())) + more;
    }

    /// @param logged how many values the last WAL record is ahead
    record SequenceState(long value, boolean called, long logged, long increment) {
        boolean mayBecome(SequenceState other, boolean recovered) {
            return (value == other.value && called == other.called)
                    || (recovered && other.called && other.value == value + logged * increment);
        }
    }
}
