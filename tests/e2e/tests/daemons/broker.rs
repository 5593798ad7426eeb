//! The broker goes away, changes its certificate, its accounts, its rights: the daemons name it and go on.
