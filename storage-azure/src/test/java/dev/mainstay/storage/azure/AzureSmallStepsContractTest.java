package dev.mainstay.storage.azure;

import dev.mainstay.storage.ObjectStore;
import dev.mainstay.testkit.azure.Azurite;

import java.util.Map;

/// The contract once more where objects of a mebibyte are large and folders of seven entries are
/// full: objects go in blocks, and listings that begin behind a name search for their place.
final class AzureSmallStepsContractTest extends AzureStoreContractTest {
    @Override
    ObjectStore open(Azurite running, String prefix) {
        return AzureStore.open(Places.on(running, "contract", prefix), Map.of(), 1 << 20, 7);
    }
}
