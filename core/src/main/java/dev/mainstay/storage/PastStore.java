package dev.mainstay.storage;

import java.util.function.Consumer;

/// A store as it was at some time, by the store's own clock, though objects were deleted and put
/// since. Puts and deletes are refused.
public interface PastStore extends ObjectStore {
    /// What [#uncover] did.
    enum Uncovered {
        /// The object counts again.
        DONE,
        /// Its bytes have to be put again: removing what hides it was refused, or would not do.
        REFUSED
    }

    /// Tells the objects that were there then and are not now, or are others now, in the order of
    /// their names.
    void forEachHidden(String prefix, Consumer<StoredObject> each);

    /// Makes an object count again as it did then, without moving its bytes.
    ///
    /// @throws dev.mainstay.base.MainstayException STORE_OBJECT_MISSING if it was not there then
    Uncovered uncover(String name);
}
