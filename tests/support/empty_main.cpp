// Something to compile support/catch.h for: the suites reuse its precompiled form.
int main() { return 0; }
