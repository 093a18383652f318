//! Where tensors live. The only file that knows the backend features.

use burn::tensor::Device;

/// A device with the name that `--device` takes.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// For example `flex` or `wgpu:0`.
    pub name: String,
    /// The device itself.
    pub device: Device,
}

/// A device that `trainer devices` lists.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The name that `--device` takes.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Whether it is a processor that stands in for a graphics card.
    software: bool,
    device: Device,
}

/// Why a device cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No backend has this name.
    #[error("there is no device called `{0}`\n  choose one of those that `trainer devices` lists")]
    Unknown(String),
    /// The backend exists, but not in this build.
    #[error(
        "this build has no `{backend}` backend\n  choose one of {compiled}, or build with `cargo build --release --features {backend}`"
    )]
    NotCompiledIn {
        /// The backend asked for.
        backend: String,
        /// Those of this build.
        compiled: String,
    },
    /// No backend of this build finds a device on this machine.
    #[error(
        "no backend finds a device here; this build has: {0}\n  install the driver of the graphics card, or build for the processor: cargo build --release"
    )]
    NoneAtAll(String),
    /// The build has graphics cards only.
    #[error(
        "gradients are checked in f64, which needs a processor backend; this build has: {0}\n  build with `cargo build --release --features flex`"
    )]
    NoProcessor(String),
    /// The backend finds no such device on this machine.
    #[error(
        "there is no device `{name}` here: {found}\n  `trainer devices` lists what there is; check that its driver is installed"
    )]
    Absent {
        /// The device asked for.
        name: String,
        /// What was found instead.
        found: String,
    },
}

/// A backend: its name, what it is, and its devices on this machine.
struct Backend {
    name: &'static str,
    description: &'static str,
    devices: Option<fn() -> Vec<Device>>,
}

/// Every backend that the trainer knows, the best one first.
const BACKENDS: [Backend; 6] = [
    Backend { name: "cuda", description: "NVIDIA graphics card, CUDA", devices: cuda() },
    Backend { name: "metal", description: "Apple graphics card, Metal", devices: metal() },
    Backend { name: "vulkan", description: "graphics card, Vulkan", devices: vulkan() },
    Backend { name: "wgpu", description: "graphics card, WebGPU", devices: wgpu() },
    Backend { name: "flex", description: "processor, Burn Flex", devices: flex() },
    Backend { name: "ndarray", description: "processor, ndarray", devices: ndarray() },
];

/// Those that are the processor itself, the best one first.
const PROCESSORS: [&str; 2] = ["flex", "ndarray"];

impl Chosen {
    /// Whether its memory is that of the machine.
    pub fn is_processor(&self) -> bool {
        is_processor(&self.name)
    }
}

/// Whether the memory of the device called `name` is that of the machine.
pub fn is_processor(name: &str) -> bool {
    PROCESSORS.contains(&name)
}

/// The device called `name`, or else the best one of this build and this machine.
pub fn choose(name: Option<&str>) -> Result<Chosen, DeviceError> {
    match name {
        Some(name) => named(name),
        None => best(),
    }
}

/// The best processor of this build: the devices that can compute in f64.
pub fn processor() -> Result<Chosen, DeviceError> {
    processors().into_iter().next().ok_or_else(|| DeviceError::NoProcessor(compiled()))
}

/// The processor backends of this build, the best one first.
pub fn processors() -> Vec<Chosen> {
    PROCESSORS.iter().filter_map(|name| named(name).ok()).collect()
}

/// Every device of this build on this machine, the best one first.
pub fn list() -> Vec<Listed> {
    let mut devices: Vec<_> = BACKENDS.iter().flat_map(Backend::list).collect();
    // A graphics card that is really a processor is slower than the processor itself.
    devices.sort_by_key(|device| device.software);
    devices
}

fn best() -> Result<Chosen, DeviceError> {
    let best = list().into_iter().next();
    best.map(Listed::chosen).ok_or_else(|| DeviceError::NoneAtAll(compiled()))
}

fn named(name: &str) -> Result<Chosen, DeviceError> {
    let (backend, index) = name.split_once(':').unwrap_or((name, "0"));
    let unknown = || DeviceError::Unknown(name.to_owned());
    let index: usize = index.parse().map_err(|_| unknown())?;
    let backend = BACKENDS.iter().find(|known| known.name == backend).ok_or_else(unknown)?;
    if backend.devices.is_none() {
        return Err(DeviceError::NotCompiledIn {
            backend: backend.name.to_owned(),
            compiled: compiled(),
        });
    }
    let devices = backend.list();
    let found = format!("{} finds {} device(s)", backend.name, devices.len());
    let device = devices.into_iter().nth(index).map(Listed::chosen);
    device.ok_or_else(|| DeviceError::Absent { name: name.to_owned(), found })
}

fn compiled() -> String {
    let compiled = BACKENDS.iter().filter(|backend| backend.devices.is_some());
    let names: Vec<_> = compiled.map(|backend| backend.name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

impl Backend {
    fn list(&self) -> Vec<Listed> {
        let devices = self.devices.map_or(Vec::new(), |devices| devices());
        let indexed = devices.into_iter().enumerate();
        indexed.map(|(index, device)| self.listed(index, device)).collect()
    }

    fn listed(&self, index: usize, device: Device) -> Listed {
        let (hardware, software) = hardware(&device);
        let description = match hardware {
            Some(hardware) => format!("{}: {hardware}", self.description),
            None => self.description.to_owned(),
        };
        let name = match self.name {
            "flex" | "ndarray" => self.name.to_owned(),
            gpu => format!("{gpu}:{index}"),
        };
        Listed { name, description, software, device }
    }
}

impl Listed {
    fn chosen(self) -> Chosen {
        Chosen { name: self.name, device: self.device }
    }
}

const fn flex() -> Option<fn() -> Vec<Device>> {
    #[cfg(feature = "flex")]
    return Some(|| vec![Device::flex()]);
    #[cfg(not(feature = "flex"))]
    None
}

const fn ndarray() -> Option<fn() -> Vec<Device>> {
    #[cfg(feature = "ndarray")]
    #[allow(deprecated, reason = "burn-ndarray 0.22 is its last release, and a tested backend")]
    return Some(|| vec![Device::ndarray()]);
    #[cfg(not(feature = "ndarray"))]
    None
}

const fn wgpu() -> Option<fn() -> Vec<Device>> {
    #[cfg(feature = "wgpu")]
    return Some(|| Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec());
    #[cfg(not(feature = "wgpu"))]
    None
}

const fn vulkan() -> Option<fn() -> Vec<Device>> {
    #[cfg(feature = "vulkan")]
    return Some(|| Device::enumerate(burn::tensor::DeviceType::Vulkan).into_vec());
    #[cfg(not(feature = "vulkan"))]
    None
}

const fn metal() -> Option<fn() -> Vec<Device>> {
    #[cfg(feature = "metal")]
    return Some(|| Device::enumerate(burn::tensor::DeviceType::Metal).into_vec());
    #[cfg(not(feature = "metal"))]
    None
}

const fn cuda() -> Option<fn() -> Vec<Device>> {
    #[cfg(feature = "cuda")]
    return Some(|| Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec());
    #[cfg(not(feature = "cuda"))]
    None
}

/// The name of the part behind a device, where the backend tells, and whether it is no graphics
/// card but software.
#[cfg(any(feature = "wgpu", feature = "vulkan", feature = "metal", feature = "cuda"))]
fn hardware(device: &Device) -> (Option<String>, bool) {
    let identity = device.identity();
    let software = identity.as_ref().is_some_and(|identity| identity.physical.is_none());
    (identity.map(|identity| identity.name), software)
}

#[cfg(not(any(feature = "wgpu", feature = "vulkan", feature = "metal", feature = "cuda")))]
fn hardware(_device: &Device) -> (Option<String>, bool) {
    (None, false)
}
