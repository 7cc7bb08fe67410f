package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;

final class ServerTrainingTest {
    @Test
    void aServerStartsAndAnswersAllThatItIsAsked(@TempDir Path folder)
            throws IOException, InterruptedException {
        assertThat(ServerTraining.run(folder)).isNotEmpty().containsOnly(200);
    }
}
