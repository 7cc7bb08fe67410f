package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.util.Optional;

/// A slot or record that is there and cannot be read or understood. It costs the backup it may have
/// been, and no other.
///
/// @param object its name
/// @param backup the one it commits, or gives up, where it is a slot
/// @param why what is wrong with it
public record DamagedRecord(
        String object, Optional<BackupId> backup, ErrorCode code, String why, String hint) {
    static DamagedRecord of(String object, MainstayException broken) {
        return new DamagedRecord(
                object,
                Names.backupOfSlot(object),
                broken.code(),
                String.valueOf(broken.getMessage()),
                broken.hint());
    }

    /// What who asked for this very backup is told.
    MainstayException refusal() {
        return new MainstayException(code, "the record " + this, hint, null);
    }

    /// `slots/… of backup … cannot be read (MS-0205: …)`
    @Override
    public String toString() {
        return object
                + backup.map(id -> " of backup " + id).orElse("")
                + " cannot be read ("
                + code.id()
                + ": "
                + why
                + ")";
    }
}
