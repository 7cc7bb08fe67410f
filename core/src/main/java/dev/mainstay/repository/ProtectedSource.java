package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.base.SystemId;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.ObjectSeal;
import dev.mainstay.repository.format.ObjectType;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// One source's part of a repository: its backups, records and WAL, under its own key. Thread-safe.
public final class ProtectedSource {
    private final Repository repository;
    private final SourceId id;
    private final String name;
    private final SourceKeyring keys;
    private final Vault vault;
    private final NewestRecords newest = new NewestRecords(this);

    ProtectedSource(Repository repository, SourceKeys.Found found) {
        this.repository = repository;
        this.id = found.id();
        this.name = found.name();
        this.keys = new SourceKeyring(repository, found);
        this.vault = new Vault(repository.store(), repository.ground(), keys);
    }

    public SourceId id() {
        return id;
    }

    public String name() {
        return name;
    }

    public Repository repository() {
        return repository;
    }

    Vault vault() {
        return vault;
    }

    /// A key for hashing plain content; the one of epoch 1 for ever, so that the same content has
    /// the same hash through every rotation.
    byte[] hashKey(String purpose, int length) {
        return ObjectSeal.hkdf(keys.first(), id.bytes(), "mainstay/1 " + purpose, length);
    }

    /// Seed of the page fingerprints' second half.
    long fingerprintSeed() {
        return Bytes.getLong(hashKey("fingerprint", 8), 0);
    }

    /// The records of this source: commits, holds, verifications. Damaged ones are told by the
    /// chain and do not keep the others from being read.
    public RecordChain records() {
        return RecordChain.read(this);
    }

    /// A text that changes with every record that is put or removed, and with nothing else: objects
    /// are written once, so their names tell. Cheaper than reading them.
    public String recordsTag() {
        return RecordsTag.of(this);
    }

    /// Some of the newest backups, newest first, without reading all records: for who asks often.
    public List<CommittedBackup> newestBackups() {
        return newest.backups();
    }

    NewestRecords newest() {
        return newest;
    }

    /// Committed backups, oldest first by the chain; without those whose records cannot be read,
    /// which [RecordChain#damagedBackups] tells.
    public List<CommittedBackup> backups() {
        return records().backups();
    }

    /// The record of one backup and those that may speak of it, without reading all other backups'.
    public RecordChain about(BackupId backup) {
        return RecordChain.about(this, backup);
    }

    /// @throws MainstayException BACKUP_UNKNOWN, or what is wrong with its record
    public CommittedBackup backup(BackupId backup) {
        return backup(backup, about(backup));
    }

    /// @param chain of all backups, or about this one
    /// @throws MainstayException BACKUP_UNKNOWN, or what is wrong with its record
    public CommittedBackup backup(BackupId backup, RecordChain chain) {
        return chain.backups().stream()
                .filter(committed -> committed.id().equals(backup))
                .findFirst()
                .orElseThrow(() -> unknown(chain, backup));
    }

    private MainstayException unknown(RecordChain chain, BackupId backup) {
        return chain.damaged().stream()
                .filter(each -> each.backup().equals(Optional.of(backup)))
                .findFirst()
                .map(DamagedRecord::refusal)
                .orElseGet(
                        () ->
                                new MainstayException(
                                        ErrorCode.BACKUP_UNKNOWN,
                                        "source " + name + " has no backup " + backup));
    }

    /// Decides whether a backup that was begun exists: if it was not committed by now, it never
    /// will be, and what it stored stays for another one.
    ///
    /// @throws MainstayException BACKUP_UNKNOWN if it was removed since
    public Optional<CommittedBackup> settle(BackupId backup) {
        if (BegunBackup.giveUp(this, backup, true)) {
            vault.store.delete(Names.intent(id(), backup));
            return Optional.empty();
        }
        return isGivenUp(backup) ? Optional.empty() : Optional.of(backup(backup));
    }

    /// Whether a slot that is there says that its backup does not exist and never will.
    boolean isGivenUp(BackupId backup) {
        String slot = Names.slot(id(), backup);
        return BegunBackup.isAbort(vault.openJson(slot, ObjectType.SLOT, vault.get(slot)));
    }

    /// Keeps a backup from being removed until it is released.
    ///
    /// @throws MainstayException BACKUP_UNKNOWN if there is none, or it was removed at the same
    ///   time
    public void hold(BackupId backup, String reason) {
        Hold.put(this, backup, reason);
    }

    /// Ends all holds of a backup.
    ///
    /// @throws MainstayException BACKUP_UNKNOWN if nobody holds it
    public void release(BackupId backup) {
        Hold.release(this, backup);
    }

    /// Ends these of its holds.
    ///
    /// @param records names of their records
    /// @throws MainstayException BACKUP_UNKNOWN if none of them is in effect
    public void release(BackupId backup, Set<String> records) {
        Hold.release(this, backup, records);
    }

    /// Removes backups for good, as far as they are not held; see [Expiry].
    ///
    /// @param chain the records on which this was decided, as fresh as can be
    /// @param why of each backup, for the record
    /// @param policy for the record
    public Expiry.Result expire(RecordChain chain, Map<BackupId, String> why, String policy) {
        return new Expiry(this).remove(chain, why, policy);
    }

    /// Backups that were begun, are not finished, and from which another one can go on; newest
    /// first.
    public List<BegunBackup> begunBackups() {
        return BegunBackup.of(this);
    }

    /// Paths of files of which frames are known to be lost, in any backup: only a file that is read
    /// whole can give them back.
    public Set<String> lostFiles() {
        return KnownLoss.of(records()).files();
    }

    /// Starts a backup: announces it, and reads what it must treat as absent.
    public BackupWriter newBackup(BackupOptions options) {
        return BackupWriter.begin(this, options);
    }

    public BackupReader read(CommittedBackup backup) {
        return new BackupReader(this, backup);
    }

    /// The WAL archive of one of this source's clusters.
    ///
    /// @param compressionLevel of zstd, for what is put
    public WalArchive wal(SystemId system, int compressionLevel) {
        return new WalArchive(this, system, compressionLevel);
    }
}
