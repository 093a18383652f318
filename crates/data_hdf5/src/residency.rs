/// Location of the values of examples while they are in use. It does not change them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Residency {
    /// In memory if they take at most a quarter of the free memory; otherwise in their file, unless
    /// its rows are not contiguous.
    #[default]
    Automatic,
    /// In memory.
    InMemory,
    /// In their file.
    InFile,
}
