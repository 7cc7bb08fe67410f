package dev.mainstay.storage.gcs;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.api.services.storage.Storage;
import com.google.api.services.storage.model.StorageObject;

import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.remote.GcsPlace;
import dev.mainstay.testkit.GcsStub;
import dev.mainstay.testkit.ObjectStoreContract;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/// The contract, kept by this adapter and a stub of our own: not proven against the service.
final class GcsStoreContractTest extends ObjectStoreContract {
    private static final AtomicInteger PREFIXES = new AtomicInteger();

    private static @Nullable GcsStub server;

    @BeforeAll
    static void start() throws Exception {
        server = new GcsStub("contract");
    }

    @AfterAll
    static void stop() {
        Objects.requireNonNull(server).close();
    }

    @Override
    protected ObjectStore openEmpty() {
        GcsStub running = Objects.requireNonNull(server);
        String prefix = "some/prefix-" + PREFIXES.incrementAndGet();
        return GcsStore.open(Places.at(running.endpoint(), "contract", prefix));
    }

    /// A console makes one for what it shows as a folder.
    @Test
    void anObjectWithTheNameOfThePrefixIsNoneOfOurs() throws Exception {
        GcsPlace place =
                Places.at(Objects.requireNonNull(server).endpoint(), "contract", "made/by/hand");
        try (GcsConnection other = GcsConnection.open(place);
                ObjectStore store = GcsStore.open(place)) {
            Storage.Objects.Insert insert =
                    other.client()
                            .objects()
                            .insert(
                                    place.bucket(),
                                    new StorageObject()
                                            .setName("made/by/hand/")
                                            .setCrc32c(new Media().crc32c()),
                                    new Media())
                            .setIfGenerationMatch(0L);
            insert.setDisableGZipContent(true);
            insert.getMediaHttpUploader().setDirectUploadEnabled(true);
            insert.execute();
            store.put("format", ByteBuffer.allocate(3));
            assertThat(store.list("", "", 10).objects())
                    .containsExactly(new StoredObject("format", 3));
        }
    }

    @Override
    protected boolean expectsPutIfAbsent() {
        return true;
    }
}
