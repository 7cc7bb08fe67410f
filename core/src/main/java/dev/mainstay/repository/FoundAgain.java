package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.storage.PutOutcome;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Lost frames whose content a backup met again, the same by digest or id, and stored: relocations
/// give them back to the backups that need them. For any thread.
final class FoundAgain {
    private final Map<FrameRef, PendingFrame> places = new LinkedHashMap<>();

    synchronized void add(FrameRef lost, PendingFrame place) {
        places.putIfAbsent(lost, place);
    }

    synchronized int count() {
        return places.size();
    }

    /// Says where they are now. Called when all packs are durable.
    ///
    /// @param backup which stored them, for the names
    synchronized void publish(Vault vault, BackupId backup) {
        Map<PackId, List<Json>> moves = new LinkedHashMap<>();
        places.forEach(
                (lost, place) -> {
                    FrameRef ref = place.ref();
                    moves.computeIfAbsent(lost.pack(), _ -> new ArrayList<>())
                            .add(
                                    Json.object()
                                            .put("from", lost.number())
                                            .put("class", ref.packClass().folder())
                                            .put("pack", ref.pack().hex())
                                            .put("number", ref.number())
                                            .put("offset", ref.offset())
                                            .put("length", ref.length()));
                });
        moves.forEach(
                (pack, frames) -> {
                    String name = Names.moved(pack) + backup;
                    Json body = Json.object().put("frames", frames);
                    if (vault.put(name, vault.sealJson(ObjectType.MOVED, body))
                            == PutOutcome.EXISTED) {
                        throw new MainstayException(
                                ErrorCode.STORE_OBJECT_EXISTS,
                                "object " + name + " exists already");
                    }
                });
    }
}
