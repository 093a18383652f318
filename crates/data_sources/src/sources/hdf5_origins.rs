use data::LoadedDataset;

use super::Hdf5Config;
use crate::manifest;

impl Hdf5Config {
    /// Adds the files of the examples from the manifest beside the HDF5 files. One that does not fit is
    /// ignored with a warning.
    pub(super) fn with_origins(&self, mut data: LoadedDataset) -> LoadedDataset {
        let parts = [
            (Some(&self.train), Some(&mut data.train)),
            (self.validation.as_ref(), data.validation.as_mut()),
            (self.test.as_ref(), data.test.as_mut()),
        ];
        for (file, examples) in parts {
            let (Some(file), Some(examples)) = (file, examples) else { continue };
            let read = manifest::read_origins(&self.directory.join(file), examples);
            data.warnings.extend(read.err());
        }
        data
    }
}
