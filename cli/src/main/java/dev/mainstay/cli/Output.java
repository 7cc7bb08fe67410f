package dev.mainstay.cli;

enum Output {
    text,
    json
}
