package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;

final class TrainingTest {
    /// A training run that fails is not noticed anywhere else: commands only start more slowly.
    @Test
    void theTrainingRunTakesABackupAndRestoresIt(@TempDir Path folder) throws IOException {
        Training.Outcome outcome = Training.run(folder, 5);
        assertThat(outcome.unknown())
                .as("questions that training-answers.txt does not answer")
                .isEmpty();
        assertThat(outcome.exits()).as("exit codes").isNotEmpty().containsOnly(0);
    }
}
