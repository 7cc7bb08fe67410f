package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectHeader;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The places to which frames of other packs have moved.
final class MovedFrames {
    /// @param pack the name of the pack
    record Place(PackId id, String pack) {}

    private MovedFrames() {}

    /// @throws MainstayException PRUNE_UNCERTAIN if it cannot be told where frames are
    static List<Place> all(Repository repository) {
        List<Place> places = new ArrayList<>();
        Listing.forEach(
                repository.store(),
                Names.MOVED,
                object -> {
                    for (Json frame : frames(repository, object.name())) {
                        PackId id = PackId.parse(frame.string("pack"));
                        places.add(
                                new Place(
                                        id,
                                        Names.pack(PackClass.parse(frame.string("class")), id)));
                    }
                });
        return places;
    }

    private static List<Json> frames(Repository repository, String name) {
        try {
            byte[] bytes = repository.rootVault().get(name);
            for (ProtectedSource source : repository.sources()) {
                try {
                    return source.vault().openJson(name, ObjectType.MOVED, bytes).objects("frames");
                } catch (MainstayException another) {
                    if (another.code() != ErrorCode.KEY_MISSING) {
                        throw another;
                    }
                }
            }
            Optional<SourceId> owner =
                    ObjectHeader.read(name, ObjectType.MOVED, bytes).scope().source();
            if (repository.shredded().stream()
                    .anyMatch(gone -> owner.equals(Optional.of(gone.id())))) {
                return List.of();
            }
            throw new MainstayException(ErrorCode.KEY_MISSING, name + " opens with no key");
        } catch (MainstayException broken) {
            throw PackReferences.uncertain(name + " cannot be read", broken);
        }
    }
}
