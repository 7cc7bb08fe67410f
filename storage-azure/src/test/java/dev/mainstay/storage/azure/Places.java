package dev.mainstay.storage.azure;

import dev.mainstay.storage.remote.AzurePlace;
import dev.mainstay.storage.remote.Route;
import dev.mainstay.testkit.azure.Azurite;

import java.net.URI;
import java.util.Optional;

/// Places on servers of tests.
final class Places {
    static final AzurePlace.Login LOGIN =
            new AzurePlace.Login.AccountKey("dmVyeS1zZWNyZXQtYWNjb3VudC1rZXk=");

    private Places() {}

    static AzurePlace on(Azurite server, String container, String prefix) {
        return at(
                server.endpoint(),
                container,
                prefix,
                new AzurePlace.Login.AccountKey(server.accountKey()));
    }

    static AzurePlace at(URI endpoint, String container, String prefix, AzurePlace.Login login) {
        return new AzurePlace(
                Azurite.ACCOUNT,
                container,
                prefix,
                Optional.of(endpoint),
                login,
                AzurePlace.Storing.AS_THE_ACCOUNT_SAYS,
                Route.DIRECT);
    }
}
