package dev.mainstay.engine.check;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.archive.WalReceiver;
import dev.mainstay.postgres.cluster.Finding;

import java.util.ArrayList;
import java.util.List;

/// Whether the slot that makes the server keep what is not stored is whole, and what it keeps.
final class SlotProbe {
    private static final String ID = "slot";
    private static final long MUCH = 1L << 30;

    private SlotProbe() {}

    static List<Finding> look(String name, String slotName, ServerView view) {
        return view.slot()
                .map(slot -> there(name, slotName, slot, view))
                .orElseGet(() -> absent(slotName, view));
    }

    private static List<Finding> absent(String slotName, ServerView view) {
        int most = Integer.parseInt(view.settings().getOrDefault("max_replication_slots", "0"));
        if (view.slots() >= most) {
            return List.of(
                    Finding.error(
                            ID,
                            "there is no replication slot "
                                    + slotName
                                    + ", and all "
                                    + most
                                    + " slots of the server are taken",
                            "drop a slot nobody needs, or raise max_replication_slots and"
                                    + " restart"));
        }
        return List.of(
                Finding.ok(
                        ID,
                        "there is no replication slot "
                                + slotName
                                + " yet; the receiver makes it"));
    }

    private static List<Finding> there(
            String name, String slotName, ServerView.Slot slot, ServerView view) {
        List<Finding> findings = new ArrayList<>();
        String which = "replication slot " + slotName;
        if (!slot.type().equals("physical")) {
            findings.add(
                    Finding.error(
                            ID,
                            which + " is a " + slot.type() + " one and serves somebody else",
                            "name another in receiver.slot"));
            return findings;
        }
        if (slot.status().equals("lost")) {
            findings.add(
                    Finding.error(
                            ID,
                            which + " is lost: the server has removed WAL that was not stored",
                            WalReceiver.howToStart(name)
                                    + ", which makes it anew; then run: mainstay backup "
                                    + name));
            return findings;
        }
        slot.holder()
                .ifPresent(
                        pid ->
                                findings.add(
                                        Finding.error(
                                                ID,
                                                which
                                                        + " is in use by process "
                                                        + pid
                                                        + " of the server, which is no Mainstay",
                                                "let the other use a slot of its own, or name"
                                                        + " another in receiver.slot")));
        findings.add(kept(name, which, slot, view));
        return findings;
    }

    private static Finding kept(String name, String which, ServerView.Slot slot, ServerView view) {
        long lag = Math.max(0, slot.lagBytes().orElse(0));
        String text = which + " keeps " + ByteSize.of(lag) + " of WAL on the server";
        String start =
                view.receiver()
                        ? "is the repository reachable and fast enough?"
                        : WalReceiver.howToStart(name);
        if (slot.status().equals("unreserved")) {
            return Finding.error(
                    ID,
                    text + ", beyond max_slot_wal_keep_size: the next checkpoint removes it",
                    start + "; raise max_slot_wal_keep_size at once");
        }
        if (!view.receiver() && Archiving.of(view).push()) {
            return Finding.warning(
                    ID,
                    text + ", more and more, since nobody receives",
                    start
                            + "; or drop it if archive_command is to do alone: SELECT"
                            + " pg_drop_replication_slot('"
                            + which.substring(which.lastIndexOf(' ') + 1)
                            + "')");
        }
        if (slot.safeBytes().isPresent()) {
            long safe = Math.max(0, slot.safeBytes().getAsLong());
            String left = text + "; after another " + ByteSize.of(safe) + " it is lost";
            return safe < lag
                    ? Finding.warning(ID, left, start + "; raise max_slot_wal_keep_size")
                    : Finding.ok(ID, left);
        }
        if (lag > MUCH) {
            return Finding.warning(ID, text, start);
        }
        return Finding.ok(ID, text);
    }
}
