package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Random;

class Crc32cTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8, 100, 4096, 8192, 32768, 65_537, 1 << 20})
    void whatComesInPiecesHasTheChecksumOfTheWhole(int piece) {
        byte[] bytes = new byte[3 * piece + 17];
        new Random(piece).nextBytes(bytes);
        Crc32c pages = Crc32c.ofPages(piece);
        int byPages = 0;
        int byPieces = 0;
        for (int i = 0; i < 3; i++) {
            int one = Crc32c.of(bytes, i * piece, piece);
            byPages = pages.append(byPages, one);
            byPieces = Crc32c.append(byPieces, one, piece);
        }
        assertThat(byPages).isEqualTo(Crc32c.of(bytes, 0, 3 * piece)).isEqualTo(byPieces);
        assertThat(Crc32c.append(byPieces, Crc32c.of(bytes, 3 * piece, 17), 17))
                .isEqualTo(Crc32c.of(bytes, 0, bytes.length));
        assertThat(Crc32c.append(byPieces, 0, 0)).isEqualTo(byPieces);
    }
}
