package dev.mainstay.cli;

import dev.mainstay.repository.crypto.RecoveryText;

import java.time.LocalDate;
import java.util.List;

/// The page that a recovery key is printed on: all that somebody needs who has nothing else.
///
/// @param repository its id
/// @param url its place
/// @param recipient id
/// @param epochs for which it is a way in now
/// @param sources names
record EscrowPage(
        String repository,
        String url,
        String recipient,
        String epochs,
        List<String> sources,
        LocalDate date) {
    /// Wide enough for a printer, plain enough for any.
    String text(byte[] secret) {
        List<String> lines = RecoveryText.lines(secret);
        return """
        MAINSTAY RECOVERY KEY
        =====================

        Whoever holds this page can read every backup of the repository below,
        if he can get at it. Keep it as you keep deeds: printed, in a safe, away
        from the servers it is for. Then delete the file it was printed from.

          repository   %s
          place        %s
          sources      %s
          recipient    %s
          root key     epochs %s, and later ones unless this key is dropped
          printed      %s

        The key:

          %s
          %s
          %s
          %s

        To restore with it
        ------------------
        1. Install Mainstay, of this version or a later one, and a JDK 25 or later.
        2. Type the four numbered lines into a file, recovery.txt. Small letters will
           do; 0 and O are the same, as are 1, I and L. Each line checks itself, so a
           typing error is told with its line.
        3. Write mainstay.yaml beside it:

             repository:
               url: %s
               key: { recovery-file: recovery.txt }

           If the repository has moved, put its new place. A place in the cloud needs
           credentials of its own, which this page does not hold.
        4. mainstay backups
           mainstay restore SOURCE --to DIRECTORY
        5. When all is well, make a key for daily use, and put it in mainstay.yaml:
           mainstay keys add --key-file repository.key
           If somebody may have copied this page:
           mainstay keys escrow, then mainstay keys remove %s,
           then mainstay keys rotate.
        """
                .formatted(
                        repository,
                        url,
                        sources.isEmpty() ? "none yet" : String.join(", ", sources),
                        recipient,
                        epochs,
                        date,
                        lines.get(0),
                        lines.get(1),
                        lines.get(2),
                        lines.get(3),
                        url,
                        recipient);
    }
}
