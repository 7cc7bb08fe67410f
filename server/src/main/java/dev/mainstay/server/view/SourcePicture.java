package dev.mainstay.server.view;

import dev.mainstay.base.BackupId;
import dev.mainstay.repository.DamagedRecord;
import dev.mainstay.repository.KnownRecords;

import java.util.AbstractList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.RandomAccess;

/// What the repository has of a source. Rows are made when they are asked for, sums once.
public final class SourcePicture {
    private final String name;
    private final boolean configured;
    private final KnownRecords.Known<KnownBackup> known;
    private final List<DamagedRecord> unreadable;
    private final List<String> damaged;
    private final long bytesStored;

    private SourcePicture(
            String name, boolean configured, KnownRecords.Known<KnownBackup> known) {
        this.name = name;
        this.configured = configured;
        this.known = known;
        this.unreadable = known.damagedBackups();
        this.damaged = known.damaged().stream().map(DamagedRecord::toString).toList();
        this.bytesStored = known.backups().stream().mapToLong(KnownBackup::bytesStored).sum();
    }

    /// Of a source of which nothing is stored.
    static SourcePicture none(String name, boolean configured) {
        return new SourcePicture(
                name,
                configured,
                new KnownRecords.Known<>("none", List.of(), Map.of(), List.of()));
    }

    static SourcePicture of(
            String name, boolean configured, KnownRecords.Known<KnownBackup> known) {
        return new SourcePicture(name, configured, known);
    }

    public String name() {
        return name;
    }

    /// Whether the configuration names it.
    public boolean configured() {
        return configured;
    }

    /// Changes when anything of it does.
    public String tag() {
        return known.tag();
    }

    /// Those whose records can be read, oldest first.
    public List<KnownBackup> whole() {
        return known.backups();
    }

    /// Records that cannot be read.
    public List<String> damaged() {
        return damaged;
    }

    /// What its backups put.
    public long bytesStored() {
        return bytesStored;
    }

    /// The newest first, and those whose records cannot be read behind them.
    public List<BackupRow> backups() {
        return new Rows();
    }

    /// Where a backup stands among [#backups].
    public Optional<Integer> indexOf(BackupId id) {
        List<KnownBackup> whole = known.backups();
        for (int i = whole.size() - 1; i >= 0; i--) {
            if (whole.get(i).id().equals(id)) {
                return Optional.of(whole.size() - 1 - i);
            }
        }
        for (int i = 0; i < unreadable.size(); i++) {
            if (unreadable.get(i).backup().equals(Optional.of(id))) {
                return Optional.of(whole.size() + unreadable.size() - 1 - i);
            }
        }
        return Optional.empty();
    }

    boolean has(BackupId id) {
        return indexOf(id).isPresent();
    }

    /// Whether it shows the very object, which is the same as long as nothing changes.
    @SuppressWarnings("ReferenceEquality")
    boolean isOf(KnownRecords.Known<KnownBackup> same) {
        return known == same;
    }

    /// The newest whose record can be read.
    public Optional<BackupRow> newest() {
        return known.backups().isEmpty() ? Optional.empty() : Optional.of(row(0));
    }

    private BackupRow row(int index) {
        List<KnownBackup> whole = known.backups();
        if (index < whole.size()) {
            KnownBackup backup = whole.get(whole.size() - 1 - index);
            return BackupRow.of(backup, known.holds().get(backup.id()));
        }
        return BackupRow.of(unreadable.get(whole.size() + unreadable.size() - 1 - index));
    }

    private final class Rows extends AbstractList<BackupRow> implements RandomAccess {
        @Override
        public BackupRow get(int index) {
            return row(index);
        }

        @Override
        public int size() {
            return known.backups().size() + unreadable.size();
        }
    }
}
