package dev.mainstay.engine.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class ArrivedFilesTest {
    private static final int MANY = 20_000;

    private static ArrivedFiles arrived() {
        ArrivedFiles files = new ArrivedFiles();
        for (int i = 0; i < MANY; i++) {
            files.arrived("base/5/" + i, i, i * 31);
        }
        return files;
    }

    @Test
    void everyFileOfTheManifestArrivedAsItShould() {
        ArrivedFiles files = arrived();
        for (int i = MANY - 1; i >= 0; i--) {
            files.named("base/5/" + i, i, i * 31);
        }
        files.requireAllNamed();
    }

    @Test
    void whatIsMissingChangedDoubledOrUnknownIsNamed() {
        ArrivedFiles files = arrived();
        refused(() -> files.named("base/5/x", 1, 1), "base/5/x of the server's manifest did not");
        refused(() -> files.named("base/5/7", 8, 7 * 31), "its size or its checksum");
        refused(() -> files.named("base/5/7", 7, 7 * 31 + 1), "base/5/7 did not arrive as");
        refused(() -> files.arrived("base/5/7", 7, 7 * 31), "base/5/7 arrived twice");
        files.named("base/5/7", 7, 7 * 31);
        refused(() -> files.named("base/5/7", 7, 7 * 31), "names file base/5/7 twice");
        refused(files::requireAllNamed, "20000 files arrived, and the server's manifest names 1");
    }

    private static void refused(ThrowingCallable call, String why) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        wrong -> assertThat(wrong.code()).isEqualTo(ErrorCode.SERVER_PROTOCOL))
                .hasMessageContaining(why);
    }
}
